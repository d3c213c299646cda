function make(selector, props = {}, ...children) {
	const [tag, ...classes] = selector.split(".");
	const node = fill(set(document.createElement(tag), props), ...children);
	node.classList.add(...classes);
	return node;
}
function set(node, props) {
	for (const [name, value] of Object.entries(props)) {
		const key = name === "label" ? "aria-label" : name;
		if (typeof value === "function") node.addEventListener(key.slice(2), value);
		else if (typeof value === "boolean") node.toggleAttribute(key, value);
		else node.setAttribute(key, value);
	}
	return node;
}
function fill(node, ...children) {
	node.replaceChildren(...children.filter((child) => child !== null));
	return node;
}

function listen(model, handlers) {
	const pairs = Object.entries(handlers);
	for (const [name, act] of pairs) model.on(`change:${name}`, act);
	return () => {
		for (const [name, act] of pairs) model.off(`change:${name}`, act);
	};
}

function block(line) {
	const style = line.light ? `color: light-dark(${line.light}, ${line.dark})` : "";
	return make("p", { class: `words-${line.kind}${line.muted ? " words-muted" : ""}`, style }, line.text);
}
function row(line) {
	const strength = line.kind === "row" && !line.muted ? "" : "words-muted";
	return make("tr", {}, make("th", { scope: "row" }, line.label ?? ""), make("td", { class: strength }, line.text));
}
function elements(lines) {
	const found = [];
	let table = null;
	for (const line of lines) {
		if (line.kind !== "row") {
			table = null;
			found.push(block(line));
			continue;
		}
		if (!table) {
			table = make("tbody");
			found.push(make("table.words-rows", {}, table));
		}
		table.append(row(line));
	}
	return found;
}
function render({ model, el }) {
	const root = el.appendChild(make("div.words.look"));
	const place = () => void fill(root, ...elements(model.get("lines")));
	place();
	return listen(model, { lines: place });
}
var widget_default = { render };
export {
	widget_default as default
};
