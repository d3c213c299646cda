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
var focusOf = (node) => node.getRootNode().activeElement ?? null;
var focus = (node) => node?.focus({ preventScroll: true });
function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}
function setTitle(node, title) {
	if (node.title !== title) node.title = title;
}
function say(node, text, title) {
	setText(node, text);
	setTitle(node, title);
}
function arrange(parent, wanted) {
	const [kept, focused] = [new Set(wanted), focusOf(parent)];
	for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
	wanted.forEach((child, index) => {
		if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
	});
	if (parent.contains(focused)) focus(focused);
}

function listen(model, handlers) {
	const pairs = Object.entries(handlers);
	for (const [name, act] of pairs) model.on(`change:${name}`, act);
	return () => {
		for (const [name, act] of pairs) model.off(`change:${name}`, act);
	};
}
function tellPython(model, name, value) {
	model.set(name, value);
	model.save_changes();
}

function remember(values) {
	const address = new URL(location.href);
	for (const [name, value] of Object.entries(values)) {
		if (value) address.searchParams.set(name, value);
		else address.searchParams.delete(name);
	}
	history.replaceState(history.state, "", address);
}

var { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;

var MISSING = "–";
var SUFFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
var ROUNDS_UP = 1 - 5e-4;
function quantity(value) {
	if (value === null || !Number.isFinite(value)) return MISSING;
	const size = abs(value);
	if (size >= 1e12 * ROUNDS_UP || size > 0 && size < 1e-4 * ROUNDS_UP) {
		const [digits, power] = value.toExponential(2).split("e");
		return minus(`${Number(digits)}e${Number(power)}`);
	}
	const [unit, suffix] = SUFFIXES.find(([each]) => size >= each * ROUNDS_UP) ?? [1, ""];
	return minus(String(Number((value / unit).toPrecision(3)))) + suffix;
}
var minus = (text) => text.replaceAll("-", "−");

var Card = class {
	picture = make("span.gallery-picture", {}, "Drawing …");
	reward = make("span");
	shown = "";
	constructor(item, press) {
		const name = make("span.gallery-name", { title: item.run }, `${item.arm || item.run} seed ${item.seed}`);
		const step = make("span", { title: item.when }, `${quantity(item.step)} steps`);
		this.button = make("button.gallery-card", { type: "button", "aria-pressed": "false", onclick: press }, this.picture, name, make("span.gallery-facts", {}, make("span", {}, item.experiment)), make("span.gallery-facts", {}, step, this.reward));
		this.element = make("li", {}, this.button);
	}
	update(picture) {
		const wanted = picture ? `${picture.svg ?? picture.problem}` : "";
		if (!picture || wanted === this.shown) return;
		this.shown = wanted;
		const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg ?? "")}`;
		fill(this.picture, picture.svg ? make("img", { src: source, alt: "", loading: "lazy" }) : picture.problem ?? "");
		const reward = picture.reward ?? null;
		if (picture.not_finite) say(this.reward, "reward unknown", "A reward in this replay is not a finite number");
		else say(this.reward, `reward ${quantity(reward)}`, reward === null ? "This replay holds no rewards" : "Mean an agent, whole episode");
	}
};

function holds(text, filter) {
	const found = text.toLowerCase();
	return filter.toLowerCase().split(/\s+/).every((word) => found.includes(word));
}

var ORDERS = {
	"newest step": (item) => item.step,
	"highest reward": (_, picture) => picture.reward ?? -Infinity,
	"lowest reward": (_, picture) => -(picture.reward ?? Infinity)
};
function passes(item, picture, words, least) {
	if (!holds(`${item.experiment} ${item.run} ${item.arm} s${item.seed} ${item.step}`, words)) return false;
	return least === null || typeof picture.reward === "number" && picture.reward >= least;
}
function toggled(chosen, id, beside) {
	if (chosen.includes(id)) return chosen.filter((each) => each !== id);
	return beside && chosen.length ? [chosen[0], id] : [id];
}

var GalleryView = class {
	cards = new Map();
	pictures = {};
	oninput = () => this.place();
	words = make("input.jobs-filter.jobs-field", { type: "search", placeholder: "Filter replays", label: "Filter replays", oninput: this.oninput });
	least = make("input.gallery-least.jobs-field", { type: "number", step: "any", placeholder: "any", oninput: this.oninput });
	order = make("select.jobs-field", { label: "Order", oninput: this.oninput }, ...Object.keys(ORDERS).map((name) => make("option", { value: name }, name)));
	two = make("input", { type: "checkbox" });
	count = make("span.jobs-count", { "aria-live": "polite" });
	list = make("ul.gallery-cards");
	nothing = make("p.jobs-empty");
	top = make("div.jobs-top", {}, this.words, make("label", {}, "Reward at least", this.least), this.order, make("label", {}, this.two, "Second one beside"), this.count);
	constructor(model, root) {
		this.model = model;
		this.two.checked = model.get("chosen").length > 1;
		root.replaceChildren(this.top, this.list, this.nothing);
	}
	place() {
		const items = this.model.get("items");
		const pictures = Object.assign(this.pictures, this.model.get("pictures"), this.model.get("more"));
		const least = this.least.value === "" ? null : Number(this.least.value);
		const rank = (item) => ORDERS[this.order.value](item, pictures[item.id] ?? {});
		const shown = items.filter((item) => passes(item, pictures[item.id] ?? {}, this.words.value.trim(), least));
		shown.sort((a, b) => rank(b) - rank(a));
		arrange(this.list, shown.map((item) => this.card(item).element));
		setText(this.count, `${shown.length} of ${items.length} replays`);
		this.top.hidden = items.length === 0;
		setText(this.nothing, items.length ? "No replay matches. Change or clear the filters." : this.model.get("empty"));
		this.nothing.hidden = shown.length > 0;
		this.paint();
	}
	card(item) {
		const card = this.cards.get(item.id) ?? new Card(item, (event) => this.choose(item.id, event));
		this.cards.set(item.id, card);
		card.update(this.pictures[item.id]);
		return card;
	}
	choose(id, event) {
		const beside = this.two.checked || event.shiftKey || event.ctrlKey || event.metaKey;
		const chosen = toggled(this.model.get("chosen"), id, beside);
		tellPython(this.model, "chosen", chosen);
		remember({ replay: chosen.join(",") });
		this.paint();
	}
	paint() {
		const chosen = this.model.get("chosen");
		for (const [id, card] of this.cards) card.button.setAttribute("aria-pressed", String(chosen.includes(id)));
	}
};

function render({ model, el }) {
	const view = new GalleryView(model, el.appendChild(make("div.jobs-table.gallery.look")));
	const place = () => view.place();
	place();
	return listen(model, { items: place, pictures: place, more: place, chosen: () => view.paint() });
}
var widget_default = { render };
export {
	widget_default as default
};
