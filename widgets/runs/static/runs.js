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
var nameOf = (node) => node.getAttribute("aria-label") ?? node.closest("label")?.textContent ?? node.textContent;
var controls = (node) => [...node.querySelectorAll("a[href], button, input, select, summary, textarea, [tabindex]")];
function refill(node, ...children) {
	const before = controls(node);
	const at = before.findIndex((each) => each === focusOf(node));
	fill(node, ...children);
	const now = controls(node);
	if (at >= 0) focus(now.find((each) => nameOf(each) === nameOf(before[at])) ?? now[at] ?? now.at(-1) ?? node.closest("[tabindex]"));
	return node;
}
function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}
function sayLines(list, lines) {
	fill(list, ...lines.map((line) => make("li", {}, line)));
	list.hidden = lines.length === 0;
}
function arrange(parent, wanted) {
	const [kept, focused] = [new Set(wanted), focusOf(parent)];
	for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
	wanted.forEach((child, index) => {
		if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
	});
	if (parent.contains(focused)) focus(focused);
}
function movedTo(key, at, count2) {
	const far = count2;
	const way = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -far, End: far }[key];
	return way ? Math.min(count2 - 1, Math.max(0, at + way)) : -1;
}

var HELD = new WeakMap();
var Held = class {
	version = 0;
	base = -1;
	told = -1;
	listeners = new Set();
	constructor(model, name, apply) {
		this.model = model;
		this.name = name;
		this.apply = apply;
		this.value = model.get(name);
		this.take();
		const later = () => queueMicrotask(() => this.take());
		model.on("change:version", later);
		model.on("change:piece", later);
	}
	take() {
		const [base, piece] = [this.model.get("version"), this.model.get("piece")];
		if (base !== this.base) {
			this.base = this.version = base;
			this.value = this.model.get(this.name);
			this.tell(null);
		}
		const at = piece?.at ?? 0;
		if (at === this.version + 1) {
			this.value = this.apply(this.value, piece);
			this.version = at;
			this.tell(piece);
		} else if (at > this.version)
			this.greet();
	}
	tell(piece) {
		for (const listener of this.listeners) listener(piece);
	}
	greet() {
		this.model.send({ type: "here", at: this.version });
	}
	shown() {
		if (this.told === this.version) return;
		this.told = this.version;
		this.model.send({ type: "shown", at: this.version });
	}
	listen(listener) {
		this.listeners.add(listener);
		this.greet();
		return () => void this.listeners.delete(listener);
	}
};
function heldOf(model, name, apply) {
	const held = HELD.get(model) ?? new Held(model, name, apply);
	HELD.set(model, held);
	return held;
}
function whenSeen(act) {
	let owed = false;
	const look = () => {
		if (!owed || document.hidden) return;
		owed = false;
		act();
	};
	document.addEventListener("visibilitychange", look);
	return {
		due() {
			if (!owed) queueMicrotask(look);
			owed = true;
		},
		stop: () => document.removeEventListener("visibilitychange", look)
	};
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
var nonce = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

var { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;

var MISSING = "–";
var SUFFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
var ROUNDS_UP = 1 - 5e-4;
function count(value) {
	return Number.isFinite(value) ? minus(String(round(value)).replace(/\B(?=(\d{3})+$)/g, ",")) : MISSING;
}
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
var plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

var STATES = ["running", "recovering", "pending", "failed", "unknown", "cancelled", "succeeded"];
var ALIVE = ["pending", "running", "recovering", "unknown"];
var ENDED = ["succeeded", "failed", "cancelled"];
function counted(rows) {
	const counts = STATES.map((state) => [state, rows.filter((row) => row.state === state).length]);
	return counts.filter(([, count2]) => count2);
}
function holds(text, filter) {
	const found2 = text.toLowerCase();
	return filter.toLowerCase().split(/\s+/).every((word) => found2.includes(word));
}

var NAMED = 3;
var TWICE_MS = 500;
var ACTIONS = {
	cancel: { verb: "Cancel", on: ALIVE },
	retry: { verb: "Retry", on: ENDED },
	note: { verb: "Note on", on: STATES, asks: "Note" },
	tag: { verb: "Tag", on: STATES, asks: "Tag" },
	untag: { verb: "Untag", on: STATES, asks: "Tag" },
	archive: { verb: "Archive", on: ENDED, when: (row) => !row.archived && !row.protected },
	unarchive: { verb: "Unarchive", on: STATES, when: (row) => Boolean(row.archived), rare: true },
	protect: { verb: "Protect", on: STATES, when: (row) => !row.protected },
	unprotect: { verb: "Unprotect", on: STATES, when: (row) => Boolean(row.protected), rare: true }
};
var Actions = class {
	buttons = make("span.jobs-actions");
	confirm = make("div.jobs-confirm", { role: "alertdialog", label: "Confirm", hidden: true });
	names = "";
	constructor(model, rows, noun, back) {
		this.model = model;
		this.rows = rows;
		this.noun = noun;
		this.back = back;
	}
	offer() {
		const names = this.model.get("actions");
		if (this.names !== names.join()) {
			this.names = names.join();
			fill(this.buttons, ...names.map((name) => make("button.jobs-action", {
				type: "button",
				onclick: (event) => this.#ask(name, event.timeStamp)
			})));
		}
		names.forEach((name, index) => {
			const button = this.buttons.children[index];
			const count2 = this.#eligible(name).length;
			button.disabled = count2 === 0;
			button.hidden = count2 === 0 && Boolean(kind(name).rare);
			setText(button, `${kind(name).verb} ${count2 ? plural(count2, this.noun) : `${this.noun}s`}`);
		});
	}
	#eligible(name) {
		const selected = new Set(this.model.get("selected"));
		const { on, when = () => true } = kind(name);
		const able = this.rows().filter((row) => selected.has(row.run) && on.includes(row.state) && when(row));
		return able.map((row) => row.run);
	}
	#ask(action, asked) {
		const runs = this.#eligible(action);
		const asker = this.buttons.children[this.model.get("actions").indexOf(action)];
		const { verb, asks = "" } = kind(action);
		const what = `${verb} ${plural(runs.length, this.noun)}`;
		const more = runs.length > NAMED ? ` and ${runs.length - NAMED} more` : "";
		const text = make("input.jobs-text.jobs-field", { type: "text", label: asks, placeholder: asks, hidden: !asks });
		const confirmed = (event) => {
			if (event.timeStamp - asked < TWICE_MS || asks && !text.value.trim()) return;
			tellPython(this.model, "request", { action, runs, text: text.value.trim(), nonce: nonce() });
			this.leave();
		};
		const yes = make("button.jobs-yes", { type: "button", onclick: confirmed }, what);
		const no = make("button.jobs-no", { type: "button", onclick: () => this.leave(asker) }, "Go back");
		this.confirm.onkeydown = (event) => {
			if (event.key !== "Escape") return;
			this.leave(asker);
			event.stopPropagation();
		};
		fill(this.confirm, make("span.jobs-list", {}, `${what}? ${runs.slice(0, NAMED).join(", ")}${more}`), text, yes, no);
		this.confirm.hidden = false;
		(asks ? text : no).focus();
	}
	leave(asker) {
		this.close();
		if (asker?.isConnected && !asker.disabled) asker.focus();
		else this.back();
	}
	close() {
		this.confirm.hidden = true;
		fill(this.confirm);
	}
};
function kind(action) {
	return ACTIONS[action] ?? { verb: action, on: STATES };
}

async function copied(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const area = make("textarea", { style: "position:fixed;opacity:0" });
		area.value = text;
		document.body.append(area);
		area.select();
		const done = document.execCommand("copy");
		area.remove();
		return done;
	}
}
async function copyName(name) {
	return await copied(name) ? `Copied ${name}` : `This browser does not let the page copy. The name is ${name}`;
}

var AHEAD = 8;
var RowWindow = class {
	from = 0;
	to = 0;
	isPrinted = false;
	gaps = [make("tr", { role: "presentation" }), make("tr", { role: "presentation" })];
	constructor(scroll, body, head, height, moved) {
		this.scroll = scroll;
		this.body = body;
		this.head = head;
		this.height = height;
		this.moved = moved;
		this.sizes = new ResizeObserver(moved);
		this.sizes.observe(scroll);
		scroll.addEventListener("scroll", moved);
		for (const event of ["beforeprint", "afterprint"]) addEventListener(event, this.print);
	}
	print = ({ type }) => {
		this.isPrinted = type === "beforeprint";
		this.moved();
	};
	place(count2, row) {
		const { scrollTop, clientHeight } = this.scroll;
		[this.from, this.to] = this.isPrinted ? [0, count2] : inSight(scrollTop, clientHeight, this.height, count2, AHEAD);
		const [above, below] = [this.from, count2 - this.to].map((rows, at) => {
			this.gaps[at].style.height = `${rows * this.height}px`;
			return rows ? [this.gaps[at]] : [];
		});
		arrange(this.body, [...above, ...Array.from({ length: this.to - this.from }, (_, at) => row(this.from + at)), ...below]);
	}
	reveal(at) {
		const [top, room] = [at * this.height, this.scroll.clientHeight - this.head.offsetHeight];
		if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
		else if (top + this.height > this.scroll.scrollTop + room) this.scroll.scrollTop = top + this.height - room;
	}
	stop() {
		this.sizes.disconnect();
		for (const event of ["beforeprint", "afterprint"]) removeEventListener(event, this.print);
	}
};
function inSight(top, height, row, count2, ahead) {
	const from = Math.min(count2, Math.max(0, Math.floor(top / row) - ahead));
	return [from, Math.min(count2, Math.max(from, Math.ceil((top + height) / row) + ahead))];
}

var [MOST_LISTED, PATIENCE_MS] = [60, 250];
var Columns = class {
	timer = 0;
	field = make("input.runs-field", { type: "search", placeholder: "losses/*, learning_rate", label: "Find settings and metrics", oninput: () => this.search() });
	list = make("ul.runs-choices");
	told = make("p.runs-told", { role: "status" });
	reset = make("button.runs-button", { type: "button", onclick: () => this.toDefault() }, "Usual columns");
	element = make("details.runs-columns", { ontoggle: () => this.show(), onkeydown: (event) => this.press(event) }, make("summary.runs-button", {}, "Columns"), make("div.runs-panel", {}, this.field, this.list, this.told, this.reset));
	constructor(model, all, putAway) {
		this.model = model;
		this.all = all;
		this.putAway = putAway;
	}
	get away() {
		return new Set(this.model.get("layout").away);
	}
	get shown() {
		const away = this.away;
		return this.all().filter(({ key }) => !away.has(key));
	}
	search() {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => tellPython(this.model, "asked", this.field.value.trim() || "*"), PATIENCE_MS);
		this.show();
	}
	show() {
		if (!this.element.open) return;
		if (!this.model.get("asked") && !this.model.get("found").total) tellPython(this.model, "asked", "*");
		const [text, columns, { names, total }] = [this.field.value.trim(), this.all(), this.model.get("found")];
		const [here, picked, away] = [new Set(columns.map(({ name }) => name)), this.model.get("picked"), this.away];
		const own = columns.filter(({ label, name }) => !text || holds(`${label} ${name}`, text.replaceAll("*", " ")));
		const items = [
			...own.map(({ key, label, name }) => this.item(key, label, name || label, !away.has(key))),
			...names.filter((name) => !here.has(name)).map((name) => this.item(name, name, name, picked.includes(name)))
		];
		refill(this.list, ...items.slice(0, MOST_LISTED));
		setText(this.told, total > names.length ? `The first ${count(names.length)} of ${count(total)} settings and metrics. Type to find others.` : "");
		this.reset.disabled = !away.size && !this.model.get("picked").length;
	}
	item(key, label, title, on) {
		const box = make("input", { type: "checkbox", checked: on, onchange: () => this.choose(key, box.checked) });
		return make("li", {}, make("label", { title }, box, make("span", {}, label)));
	}
	choose(key, on) {
		const away = this.away;
		if (!on) away.add(key);
		else if (!away.delete(key)) {
			const kept = this.shown.map(({ name }) => name).filter(Boolean);
			tellPython(this.model, "picked", [...new Set([...kept, key])]);
		}
		this.putAway([...away]);
	}
	toDefault() {
		if (this.model.get("picked").length) tellPython(this.model, "picked", []);
		this.putAway([]);
	}
	press(event) {
		if (event.key !== "Escape" || !this.element.open) return;
		this.element.open = false;
		this.element.querySelector("summary")?.focus();
		event.stopPropagation();
	}
};

function dollars(value, more = false) {
	if (value === null) return MISSING;
	const text = value >= 1e3 ? `$${quantity(value)}` : `$${value.toFixed(value > 0 && value < 10 ? 2 : 0)}`;
	return more ? `${text} + ?` : text;
}

var RING = 2 * Math.PI * 5;
function mark(state) {
	return fill(draw("svg", { viewBox: "0 0 14 14", class: "jobs-mark", "aria-hidden": "true" }), ...shapes(state));
}
function shapes(state) {
	const circle = { cx: 7, cy: 7, r: 5, class: "jobs-stroke" };
	switch (state) {
		case "pending":
			return [draw("circle", { ...circle, r: 4.5 })];
		case "running":
			return [
				draw("circle", { cx: 7, cy: 7, r: 2.5 }),
				draw("circle", { ...circle, opacity: 0.3 }),
				draw("circle", { ...circle, class: "jobs-stroke jobs-ring", transform: "rotate(-90 7 7)" })
			];
		case "recovering":
			return [draw("circle", { ...circle, r: 4.5 }), draw("path", { d: "M7 2.5a4.5 4.5 0 0 1 0 9z" })];
		case "succeeded":
			return [thick("M2.5 7.5l3 3 6-6.5")];
		case "failed":
			return [thick("M3 3l8 8M11 3l-8 8")];
		case "cancelled":
			return [thick("M2.5 7h9")];
		default:
			return [
				draw("path", { d: "M4.5 5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.6", class: "jobs-stroke" }),
				draw("circle", { cx: 7, cy: 11.6, r: 1.1 })
			];
	}
}
function thick(d) {
	return draw("path", { d, class: "jobs-stroke jobs-thick" });
}
function draw(tag, attributes) {
	return set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
}

var MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
var DAY = new Intl.DateTimeFormat("sv-SE");
var UNITS = [[86400, 3600, "dh"], [3600, 60, "hm"], [60, 1, "ms"]];
function duration(seconds) {
	if (seconds === null || !(seconds >= 0 && seconds < Infinity)) return MISSING;
	const whole = Math.round(seconds);
	for (const [unit, part, [big, small]] of UNITS) {
		const rest = String(Math.floor(whole % unit / part)).padStart(2, "0");
		if (whole >= unit) return `${Math.floor(whole / unit)} ${big} ${rest} ${small}`;
	}
	return `${whole} s`;
}

var RUN = 0;
var ARM = 1;
var SEED = 2;
var COUNTS = 3;
var STATE = 4;
var FIRST = 5;
var BOTTOM = "#".charCodeAt(0);
var LEVELS = "b".charCodeAt(0) - BOTTOM;
var TEXTS = new WeakMap();
function withNews(table, piece) {
	const rows = [...table.rows];
	for (const [at, values] of piece.rows) {
		const row = [...rows[at]];
		for (const [cell, value] of values) row[cell] = value;
		rows[at] = row;
	}
	return { columns: table.columns, rows };
}
function textOf(row, columns) {
	const known = TEXTS.get(row);
	if (known !== void 0) return known;
	const words = columns.map(({ kind: kind2, label }, at) => kind2 === "curve" || row[FIRST + at] === null ? "" : `${label}=${row[FIRST + at]}`);
	const text = [row[RUN], row[ARM], row[SEED], row[STATE], ...words].join(" ");
	TEXTS.set(row, text);
	return text;
}
function found({ columns, rows }, text) {
	return text ? rows.filter((row) => holds(textOf(row, columns), text)) : rows;
}
function byArm(rows) {
	const arms = new Map();
	for (const row of rows) {
		const own = arms.get(row[ARM]);
		if (own) own.push(row);
		else arms.set(row[ARM], [row]);
	}
	return [...arms].map(([arm, own]) => ({ arm, rows: own, counts: counted(own.map((row) => ({ state: row[STATE] }))) }));
}
function together(rows, cell) {
	const different = new Set(rows.map((row) => row[cell]));
	if (different.size === 1) return { value: rows[0][cell], of: 0, values: 1 };
	const numbers = rows.filter((row) => row[COUNTS]).map((row) => row[cell]).filter((value2) => typeof value2 === "number");
	const value = numbers.length ? numbers.reduce((sum, each) => sum + each, 0) / numbers.length : null;
	return { value, of: numbers.length, values: different.size };
}
function compared(a, b, down) {
	if (a === null || b === null) return Number(a === null) - Number(b === null);
	const sign2 = down ? -1 : 1;
	if (typeof a === "string" || typeof b === "string") return sign2 * String(a).localeCompare(String(b), "en", { numeric: true });
	return sign2 * (Number(a) - Number(b));
}
function sorted(rows, by) {
	return by ? [...rows].sort((a, b) => compared(a[by.cell], b[by.cell], by.down)) : rows;
}
function linesOf(rows, by, grouped, isOpen) {
	const line = (row) => ({ key: `run ${row[RUN]}`, row });
	if (!grouped) return sorted(rows, by).map(line);
	const groups = byArm(rows);
	if (by) {
		const ranks = new Map(groups.map((group) => [group.arm, by.cell === STATE ? group.counts[0]?.[0] ?? null : together(group.rows, by.cell).value]));
		groups.sort((a, b) => compared(ranks.get(a.arm) ?? null, ranks.get(b.arm) ?? null, by.down));
	}
	return groups.flatMap((group) => [{ key: `arm ${group.arm}`, group }, ...isOpen(group.arm) ? sorted(group.rows, by).map(line) : []]);
}
function heights(value) {
	if (typeof value !== "string" || !value.startsWith("~")) return null;
	return [...value.slice(1)].map((letter) => (letter.charCodeAt(0) - BOTTOM) / LEVELS);
}
function hider({ runs, arms }) {
	const [names, whole] = [new Set(runs), new Set(arms)];
	return (row) => names.has(row[RUN]) || whole.has(row[ARM]);
}

var [WIDTH, HEIGHT, MOST_CURVES, MOST_WORDS] = [96, 20, 8, 2];
var SVG = "http://www.w3.org/2000/svg";
function drawLine({ group, row }, columns, cells, { colour, isHidden, grouped, shelved }) {
	const rows = group ? group.rows : row ? [row] : [];
	const away = rows.filter(isHidden).length;
	const name = group ? group.arm : row?.[RUN] ?? "";
	const eye = make("button.runs-eye", {
		type: "button",
		tabindex: -1,
		label: `Draw ${name || "the runs without an arm"}`,
		"aria-pressed": String(away < rows.length),
		title: away === rows.length ? "Not drawn; it counts all the same. Draw it again" : away ? `${away} of ${rows.length} not drawn` : "Drawn in the charts. Hide it there; it counts all the same"
	}, sign(EYE));
	const dot = make("span.runs-swatch", { "aria-hidden": "true", ...colour ? { style: `background:${colour}` } : {} });
	const element = make(group ? "tr.runs-row.runs-arm" : "tr.runs-row", { role: "row" }, make("td.runs-run", { role: "rowheader" }, make("span.runs-id", {}, eye, ...group ? [make("span.runs-caret", { "aria-hidden": "true" })] : [], dot, group ? armName(group) : runName(name, grouped), ...shelfMarks(rows, shelved))), stateCell(rows, group?.counts), make("td.runs-seed", { role: "gridcell" }, group ? plural(rows.length, "run") : row?.[SEED] ?? ""), ...columns.map((column, at) => valueCell(column, rows, cells[at], colour)));
	element.dataset.eye = away === rows.length ? "shut" : away ? "half" : "open";
	if (group) element.dataset.arm = name;
	else element.dataset.run = name;
	if (grouped) element.setAttribute("aria-level", group ? "1" : "2");
	return element;
}
function shelfMarks(rows, { archived, kept }) {
	return [["archived", BOX, archived], ["protected", LOCK, kept]].flatMap(([word, d, runs]) => {
		const count2 = rows.filter((row) => runs.has(row[RUN])).length;
		if (!count2) return [];
		const said = rows.length > 1 ? `${count2} of ${rows.length} ${word}` : word;
		return [make("span.runs-sign", { role: "img", label: said, title: said }, sign([["", d]]))];
	});
}
var armName = ({ arm }) => make("span.runs-name", { title: arm }, arm || "(no arm)");
function runName(name, grouped) {
	return make("button.jobs-name", { type: "button", tabindex: -1, label: `Copy ${name}`, title: `${name}
Click to copy` }, make("bdi", { dir: "ltr" }, grouped ? name.split(".").slice(-2).join(".") : name));
}
function stateCell(rows, counts) {
	if (!counts) {
		const state = rows[0]?.[STATE] ?? "unknown";
		return make("td.runs-state", { role: "gridcell", "data-state": state }, mark(state), make("span.jobs-word", {}, state), rows[0]?.[COUNTS] ? null : make("span.runs-of", {}, "no seed"));
	}
	return make("td.runs-state", { role: "gridcell" }, make("span.runs-states", {}, ...counts.map(([state, count2]) => make("span", { "data-state": state, title: `${count2} ${state}` }, mark(state), `${count2}`, counts.length > MOST_WORDS ? "" : make("span.runs-word", {}, ` ${state}`)))));
}
function valueCell(column, rows, cell, colour) {
	const element = make(`td.runs-${column.kind}`, { role: "gridcell" });
	if (column.kind === "curve") return curveCell(element, rows.map((row) => row[cell]), colour);
	const { value, of, values } = rows.length > 1 ? together(rows, cell) : { value: rows[0]?.[cell] ?? null, of: 0, values: 1 };
	if (of) {
		fill(element, shown(column.kind, value), make("span.runs-of", { "aria-hidden": "true" }, "x̄"));
		element.title = `Mean of ${of === rows.length ? plural(of, "run") : `${of} of ${plural(rows.length, "run")}`}: ${value}`;
	} else if (values > 1)
		fill(element, make("span.runs-of", {}, plural(values, "value")));
	else {
		fill(element, shown(column.kind, value));
		element.title = value === null ? `No value of ${column.label}` : String(value);
	}
	return element;
}
function shown(kind2, value) {
	if (value === null) return MISSING;
	if (typeof value === "boolean") return value ? "yes" : "no";
	if (typeof value === "string") return value;
	return kind2 === "time" ? duration(value) : kind2 === "cost" ? dollars(value) : quantity(value);
}
function curveCell(element, values, colour) {
	const curves = values.map(heights).filter((points) => points !== null);
	if (!curves.length) return fill(element, make("span.runs-of", {}, String(values[0] ?? MISSING)));
	const svg = document.createElementNS(SVG, "svg");
	set(svg, { width: WIDTH, height: HEIGHT, viewBox: `-1 0 ${WIDTH + 4} ${HEIGHT}`, "aria-hidden": "true", class: curves.length > 1 ? "runs-curves" : "" });
	svg.style.stroke = colour ?? "";
	for (const points of curves.slice(0, MOST_CURVES)) {
		const across = WIDTH / Math.max(1, points.length - 1);
		const places = points.map((height, at) => `${(at * across).toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 4) * height).toFixed(1)}`);
		svg.append(set(document.createElementNS(SVG, "polyline"), { points: (places.length > 1 ? places : [places[0], places[0]]).join(" ") }));
	}
	if (curves.length > MOST_CURVES) element.title = `The first ${MOST_CURVES} of ${curves.length} curves`;
	return fill(element, svg);
}
var EYE = [["open", "M1.5 8C3.5 4.8 5.6 3.5 8 3.5S12.5 4.8 14.5 8C12.5 11.2 10.4 12.5 8 12.5S3.5 11.2 1.5 8z"], ["open", "M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z"], ["shut", "M2 13.5L14 2.5"]];
var BOX = "M2 3h12v3.5H2zM3.2 6.5v6.5h9.6V6.5M6.5 9h3";
var LOCK = "M3.5 7.5h9V14h-9zM5.3 7.5V5.2a2.7 2.7 0 0 1 5.4 0v2.3";
function sign(paths) {
	const svg = document.createElementNS(SVG, "svg");
	set(svg, { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
	for (const [kind2, d] of paths) svg.append(set(document.createElementNS(SVG, "path"), { d, ...kind2 ? { class: `runs-${kind2}` } : {} }));
	return svg;
}

var [ROW_PX, OPEN_UP_TO, FOUND_OPEN_UP_TO] = [28, 20, 50];
var HEADS = [["runs-run", RUN, "Run", 250], ["runs-state", STATE, "State", 124], ["runs-seed", SEED, "Seed", 64]];
var WIDTHS = { curve: 112, text: 104, number: 84, switch: 84, time: 104, cost: 72 };
var KEYS = "Arrows move. Space hides a line in the charts or draws it again. Enter opens an arm, or brings a run to the front; Shift+Enter brings an arm to the front.";
var tables = 0;
var RunsView = class {
	lines = [];
	drawn = new Map();
	look = 0;
	openAtFirst = null;
	at = 0;
	id = `runs-${++tables}`;
	filter = make("input.runs-search.runs-field", { type: "search", placeholder: "Search runs", label: "Search runs", oninput: () => this.update() });
	group = make("button.runs-button", { type: "button", "aria-pressed": "true", onclick: () => this.arrange({ grouped: !this.layout.grouped }) }, "By arm");
	all = make("button.runs-button", { type: "button", onclick: () => this.arrange({ open: !this.isOpen, flipped: [] }) }, "Open all");
	count = make("span.runs-count", { "aria-live": "polite" });
	away = make("span.runs-away", { role: "status" });
	back = make("button.runs-button", { type: "button", onclick: () => this.hide({ runs: [], arms: [] }) }, "Show all");
	shelf = make("button.runs-button", { type: "button", onclick: () => tellPython(this.model, "with_archived", !this.model.get("with_archived")) });
	undo = make("button.runs-button", { type: "button", onclick: () => this.takeBack() }, "Undo");
	notice = make("span.runs-came");
	notes = make("ul.runs-notes", { role: "status" });
	head = make("tr", { role: "row", "aria-rowindex": 1 });
	body = make("tbody", { role: "rowgroup" });
	grid = make("table.runs-grid", { tabindex: 0, label: "Runs", "aria-multiselectable": "true", "aria-description": KEYS, onkeydown: (event) => this.press(event) }, make("thead", { role: "rowgroup" }, this.head), this.body);
	scroll = make("div.runs-scroll", { onclick: (event) => this.click(event) }, this.grid);
	nothing = make("p.runs-empty");
	said = make("p.runs-said", { role: "status" });
	constructor(model, root) {
		this.model = model;
		this.held = heldOf(model, "table", withNews);
		this.columns = new Columns(model, () => this.held.value.columns, (away) => this.arrange({ away }));
		this.actions = new Actions(model, () => this.subjects(), "run", () => this.grid.focus({ preventScroll: true }));
		this.top = make("div.runs-top", {}, this.filter, this.group, this.all, this.columns.element, this.shelf, this.actions.buttons, this.count, this.away, this.back);
		this.came = make("p.runs-notice", { role: "status" }, this.notice, this.undo);
		root.replaceChildren(this.top, this.actions.confirm, this.came, this.notes, this.scroll, this.nothing, this.said);
		this.window = new RowWindow(this.scroll, this.body, this.head, ROW_PX, () => this.place());
	}
	get layout() {
		return this.model.get("layout");
	}
	get isOpen() {
		return this.layout.open ?? Boolean(this.openAtFirst);
	}
	get by() {
		const sort = this.layout.sort;
		const [, cell] = sort ? this.places.find(([key]) => key === sort.key) ?? [] : [];
		return sort && cell !== void 0 ? { cell, down: sort.down } : null;
	}
	get places() {
		const all = this.held.value.columns;
		return [
			...HEADS.map(([key, cell]) => [key, cell]),
			...this.columns.shown.map(({ key }) => [key, FIRST + all.findIndex((each) => each.key === key)])
		];
	}
	arrange(change) {
		tellPython(this.model, "layout", { ...this.layout, ...change });
		this.show();
	}
	show() {
		this.heads();
		this.update();
		this.columns.show();
	}
	heads() {
		const columns = this.columns.shown;
		this.cells = this.places.slice(HEADS.length).map(([, cell]) => cell);
		this.look++;
		const heads = [
			...HEADS.map(([name, , label, width2]) => this.sorter(name, name, label, "", width2)),
			...columns.map(({ key, kind: kind2, label, title }) => this.sorter(key, `runs-${kind2}`, label, title, WIDTHS[kind2] ?? WIDTHS.text))
		];
		refill(this.head, ...heads);
		const width = [...HEADS.map(([, , , each]) => each), ...columns.map(({ kind: kind2 }) => WIDTHS[kind2] ?? WIDTHS.text)].reduce((sum, each) => sum + each, 0);
		this.grid.style.minWidth = `${width}px`;
	}
	sorter(key, name, label, title, width) {
		const by = this.layout.sort;
		const sort = by?.key === key ? by.down ? "descending" : "ascending" : "none";
		const button = name === "runs-curve" ? make("span.jobs-sort", { title }, label) : make("button.jobs-sort", { type: "button", label: `Sort by ${label}`, title, onclick: () => this.sort(key, name) }, label);
		return make(`th.${name}`, { role: "columnheader", scope: "col", "aria-sort": sort, style: `width:${width}px` }, button);
	}
	sort(key, kind2) {
		const [by, down] = [this.layout.sort, ["runs-number", "runs-cost", "runs-time"].includes(kind2)];
		this.arrange({ sort: by?.key !== key ? { key, down } : by.down === down ? { key, down: !down } : null });
	}
	update() {
		const { rows } = this.held.value;
		if (this.openAtFirst === null && rows.length) this.openAtFirst = rows.length <= OPEN_UP_TO;
		const text = this.filter.value.trim();
		const shown2 = found(this.held.value, text);
		const arms = byArm(shown2).length;
		const key = this.lines[this.at]?.key;
		const { grouped, flipped } = this.layout;
		const [groups, turned, open] = [grouped && byArm(rows).length > 1, new Set(flipped), this.isOpen];
		const opened = text !== "" && shown2.length <= FOUND_OPEN_UP_TO;
		this.lines = linesOf(shown2, this.by, groups, (arm) => opened || open !== turned.has(arm));
		this.at = Math.max(0, this.lines.findIndex((line) => line.key === key));
		this.grid.setAttribute("role", groups ? "treegrid" : "grid");
		this.grid.setAttribute("aria-rowcount", String(this.lines.length + 1));
		this.group.setAttribute("aria-pressed", String(grouped));
		this.group.hidden = byArm(rows).length < 2;
		this.all.hidden = !groups;
		setText(this.all, open ? "Close all" : "Open all");
		const many = `${plural(arms, "arm")}, ${plural(shown2.length, "run")}`;
		setText(this.count, text ? `${many} of ${plural(rows.length, "run")}` : many);
		this.top.hidden = this.scroll.hidden = this.said.hidden = rows.length === 0;
		setText(this.nothing, rows.length ? `No run matches “${text}”. Change or clear the search.` : this.model.get("empty"));
		this.nothing.hidden = shown2.length > 0;
		sayLines(this.notes, this.model.get("notes"));
		this.tellAway();
		this.offer();
		this.place();
	}
	subjects() {
		const [archived, kept] = [new Set(this.model.get("archived")), new Set(this.model.get("protected"))];
		return this.held.value.rows.map((row) => ({ run: row[RUN], state: row[STATE], archived: archived.has(row[RUN]), protected: kept.has(row[RUN]) }));
	}
	offer() {
		this.actions.offer();
		const [archived, notice, undo] = [this.model.get("archived").length, this.model.get("notice"), this.model.get("undo")];
		setText(this.shelf, this.model.get("with_archived") ? "Leave out archived" : `Show ${archived} archived`);
		this.shelf.hidden = archived === 0;
		setText(this.notice, notice);
		this.came.hidden = notice === "";
		this.undo.hidden = !undo.action;
	}
	takeBack() {
		tellPython(this.model, "request", { ...this.model.get("undo"), text: "", nonce: nonce() });
		this.grid.focus({ preventScroll: true });
	}
	tellAway() {
		const isHidden = hider(this.model.get("hidden"));
		const away = this.held.value.rows.filter(isHidden).length;
		setText(this.away, away ? `${plural(away, "run")} not drawn in the charts; scores and verdicts count ${away === 1 ? "it" : "them"}` : "");
		this.away.hidden = this.back.hidden = away === 0;
	}
	place() {
		const [columns, colours, selected] = [this.columns.shown, this.model.get("colours"), new Set(this.model.get("selected"))];
		const [isHidden, grouped] = [hider(this.model.get("hidden")), this.grid.getAttribute("role") === "treegrid"];
		const shelved = { archived: new Set(this.model.get("archived")), kept: new Set(this.model.get("protected")) };
		const drawn = new Map();
		this.window.place(this.lines.length, (at) => {
			const line = this.lines[at];
			const [rows, was] = [this.rowsOf(line), this.drawn.get(line.key)];
			const same = was?.look === this.look && was.rows.length === rows.length && rows.every((row, number) => row === was.rows[number]);
			const made = same ? was.element : drawLine(line, columns, this.cells ?? [], { isHidden, grouped, shelved, colour: colours[rows[0]?.[ARM] ?? ""] });
			const element = was?.look === this.look ? was.element : made;
			if (element !== made) renew(element, made);
			element.id = `${this.id}-${at}`;
			element.setAttribute("aria-rowindex", String(at + 2));
			element.setAttribute("aria-selected", String(rows.every((row) => selected.has(row[RUN]))));
			element.toggleAttribute("data-at", at === this.at);
			if (line.group) element.setAttribute("aria-expanded", String(this.lines[at + 1]?.row?.[ARM] === line.group.arm));
			drawn.set(line.key, { element, rows, look: this.look });
			return element;
		});
		this.drawn = drawn;
		const { from, to } = this.window;
		if (this.at >= from && this.at < to) this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
		else this.grid.removeAttribute("aria-activedescendant");
	}
	redraw() {
		this.look++;
		this.tellAway();
		this.offer();
		this.place();
	}
	flip(arm) {
		const flipped = new Set(this.layout.flipped);
		if (!flipped.delete(arm)) flipped.add(arm);
		this.arrange({ open: this.isOpen, flipped: [...flipped] });
	}
	rowsOf({ group, row }) {
		return group ? group.rows : row ? [row] : [];
	}
	choose(line, add) {
		const [runs, before] = [this.rowsOf(line).map((row) => row[RUN]), this.model.get("selected")];
		const others = before.filter((run) => !runs.includes(run));
		const had = before.length - others.length === runs.length;
		this.select(had && (add || !others.length) ? others : add ? [...others, ...runs] : runs);
	}
	select(runs) {
		this.actions.close();
		tellPython(this.model, "selected", runs);
		this.offer();
		this.place();
	}
	hide(hidden) {
		tellPython(this.model, "hidden", hidden);
		this.redraw();
	}
	blink(line) {
		const hidden = this.model.get("hidden");
		const isHidden = hider(hidden);
		const [rows, runs, arms] = [this.rowsOf(line), new Set(hidden.runs), new Set(hidden.arms)];
		const show = rows.every(isHidden);
		const arm = rows[0]?.[ARM] ?? "";
		if (line.group && rows.length === this.held.value.rows.filter((row) => row[ARM] === arm).length) {
			for (const row of rows) runs.delete(row[RUN]);
			if (show) arms.delete(arm);
			else arms.add(arm);
		} else {
			if (arms.delete(arm)) {
				for (const row of this.held.value.rows) if (row[ARM] === arm) runs.add(row[RUN]);
			}
			for (const row of rows) {
				if (show) runs.delete(row[RUN]);
				else runs.add(row[RUN]);
			}
		}
		this.hide({ runs: [...runs], arms: [...arms] });
	}
	click(event) {
		const target = event.target;
		const element = target.closest("tr");
		const at = element && element.parentElement === this.body ? Number(element.getAttribute("aria-rowindex")) - 2 : -1;
		const line = this.lines[at];
		if (!line) return;
		this.at = at;
		this.grid.focus({ preventScroll: true });
		if (target.closest(".runs-eye")) this.blink(line);
		else if (target.closest(".runs-caret") && line.group) this.flip(line.group.arm);
		else if (target.closest(".jobs-name") && line.row) void this.copy(line.row[RUN]);
		else this.choose(line, event.shiftKey || event.ctrlKey || event.metaKey);
		this.place();
	}
	press(event) {
		const line = this.lines[this.at];
		if (event.target !== this.grid || !line) return;
		const next = movedTo(event.key, this.at, this.lines.length);
		const open = line.group && this.lines[this.at + 1]?.row?.[ARM] === line.group.arm;
		if (next >= 0) this.moveTo(next);
		else if (event.key === " ") this.blink(line);
		else if (event.key === "Enter" && line.group && !event.shiftKey) this.flip(line.group.arm);
		else if (event.key === "Enter") this.choose(line, event.shiftKey && !line.group);
		else if (event.key === "ArrowRight" && line.group && !open || event.key === "ArrowLeft" && open) this.flip(line.group?.arm ?? "");
		else if (event.key === "ArrowLeft" && line.row) this.moveTo(Math.max(0, this.lines.findLastIndex(({ group }, at) => at < this.at && group !== void 0)));
		else if (event.key === "c" && (event.ctrlKey || event.metaKey) && line.row) void this.copy(line.row[RUN]);
		else if (event.key === "Escape") this.select([]);
		else return;
		this.place();
		event.preventDefault();
		event.stopPropagation();
	}
	moveTo(at) {
		this.at = at;
		this.window.reveal(at);
	}
	async copy(run) {
		setText(this.said, await copyName(run));
	}
};
function renew(element, made) {
	element.dataset.eye = made.dataset.eye;
	[...made.cells].forEach((cell, at) => {
		const old = element.cells[at];
		if (old.innerHTML !== cell.innerHTML) old.replaceChildren(...cell.childNodes);
		for (const name of ["title", "data-state"]) {
			const value = cell.getAttribute(name);
			if (value === null) old.removeAttribute(name);
			else old.setAttribute(name, value);
		}
	});
}

function render({ model, el }) {
	const view = new RunsView(model, el.appendChild(make("div.runs-table.look")));
	view.show();
	let whole = false;
	const seen = whenSeen(() => {
		if (whole) view.show();
		else view.update();
		whole = false;
		view.held.shown();
	});
	const stopHearing = view.held.listen((piece) => {
		whole ||= piece === null;
		seen.due();
	});
	const stop = listen(model, {
		colours: () => view.redraw(),
		hidden: () => view.redraw(),
		selected: () => (view.offer(), view.place()),
		archived: () => view.redraw(),
		protected: () => view.redraw(),
		with_archived: () => view.offer(),
		actions: () => view.offer(),
		notice: () => view.offer(),
		undo: () => view.offer(),
		notes: () => view.update(),
		empty: () => view.update(),
		found: () => view.columns.show(),
		layout: () => view.show()
	});
	view.held.shown();
	return () => {
		stop();
		stopHearing();
		seen.stop();
		view.window.stop();
	};
}
var widget_default = { render };
export {
	widget_default as default
};
