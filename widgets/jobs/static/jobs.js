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
var MOST_COLOURS = 8;
var COLUMNS = [
	["run", "Run", (row) => row.run],
	["state", "State", (row) => STATES.indexOf(row.state)],
	["progress", "Progress", fraction],
	["sps", "Steps/s", (row) => row.sps],
	["reward", "Reward", (row) => row.reward],
	["left", "Time left", (row) => row.left_s ?? (took(row) ?? NaN) + 1e9],
	["started", "Started", (row) => row.started_at]
];
function withNews(rows, piece) {
	const now = [...rows];
	for (const [at, values] of piece.rows) now[at] = { ...now[at], ...values };
	return now;
}
function fraction(row) {
	return row.step === null || !row.total ? null : Math.min(1, Math.max(0, row.step / row.total));
}
function took(row) {
	if (!ENDED.includes(row.state) || row.started_at === null || row.ended_at === null) return null;
	return Math.max(0, row.ended_at - row.started_at);
}
function counted(rows) {
	const counts = STATES.map((state) => [state, rows.filter((row) => row.state === state).length]);
	return counts.filter(([, count2]) => count2);
}
function summary(rows) {
	return `${plural(rows.length, "job")}: ${counted(rows).map(([state, count2]) => `${count2} ${state}`).join(", ")}`;
}
function colouredArms(rows) {
	const arms = [...new Set(rows.map((row) => row.arm))];
	return arms.length > 1 && arms.length <= MOST_COLOURS ? arms : [];
}
function holds(text, filter) {
	const found = text.toLowerCase();
	return filter.toLowerCase().split(/\s+/).every((word) => found.includes(word));
}
function textOf(row) {
	return [row.run, row.arm, `s${row.seed}`, row.state, row.launcher, row.words, row.reason].join(" ");
}
function sorted(rows, by) {
	const value = COLUMNS.find(([key]) => key === by?.key)?.[2];
	if (!by || !value) return rows;
	const sign = by.down ? -1 : 1;
	return [...rows].sort((first, second) => {
		const [a, b] = [value(first) ?? NaN, value(second) ?? NaN];
		if (typeof a === "string") return sign * a.localeCompare(String(b), "en", { numeric: true });
		const missing = Number(Number.isNaN(a)) - Number(Number.isNaN(b));
		return Number.isNaN(a) || Number.isNaN(b) ? missing : sign * (a - Number(b));
	});
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
var age = (seconds) => duration(Math.max(0, Math.floor(seconds))).split(" ").slice(0, 2).join(" ");
var since = (at, now) => now - at < 30 * 86400 ? `${age(now - at)} ago` : DAY.format(at * 1e3);
var moment = (at) => MOMENT.format(at * 1e3);

var Freshness = class {
	skew = 0;
	element = make("span.jobs-age");
	constructor(model, root) {
		this.model = model;
		this.root = root;
	}
	now() {
		return this.model.get("sent_at") ? Date.now() / 1e3 - this.skew : this.model.get("as_of");
	}
	receive() {
		this.skew = Date.now() / 1e3 - this.model.get("sent_at");
	}
	tick() {
		const [now, at, live, limit] = [this.now(), this.model.get("as_of"), this.model.get("sent_at") > 0, this.model.get("stale_after")];
		const stale = live && limit > 0 && now - at > limit;
		this.root.toggleAttribute("data-stale", stale && at > 0);
		if (!at) setText(this.element, live ? "Waiting for the first answer" : "");
		else if (!live) setText(this.element, `As of ${moment(at)}`);
		else if (!limit) say(this.element, "All jobs have ended", `As of ${moment(at)}`);
		else say(this.element, stale ? `? Data ${age(now - at)} old` : `Updated ${age(now - at)} ago`, moment(at));
	}
};

var RING = 2 * Math.PI * 5;
function mark(state) {
	return fill(draw("svg", { viewBox: "0 0 14 14", class: "jobs-mark", "aria-hidden": "true" }), ...shapes(state));
}
function drawShare(svg, done) {
	svg.querySelector(".jobs-ring")?.setAttribute("stroke-dasharray", `${RING * done} ${RING}`);
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

var WHOLE = new Intl.NumberFormat("en");
var RowView = class {
	swatch = make("span.jobs-swatch", { "aria-hidden": "true" });
	mark = mark("");
	word = make("span.jobs-word");
	reason = make("span.jobs-reason");
	fill = make("span.jobs-fill");
	steps = make("span.jobs-steps");
	cells = Object.fromEntries(COLUMNS.map(([key]) => [key, make(`td.jobs-${key}`, { role: "gridcell" })]));
	constructor(run) {
		this.box = make("input", { type: "checkbox", tabindex: -1, label: `Select ${run}` });
		const name = make("button.jobs-name", { type: "button", tabindex: -1, title: `${run}
Click to copy` }, make("bdi", { dir: "ltr" }, run));
		const parts = run.split(".");
		if (parts.length === 5) name.dataset.short = `${parts[2]}.${parts[3]}`;
		this.cells.run.append(make("span.jobs-id", {}, this.swatch, name));
		this.cells.state.append(this.mark, this.word, this.reason);
		this.cells.progress.append(make("span.jobs-bar", { "aria-hidden": "true" }, this.fill), this.steps);
		this.element = make("tr.jobs-row", { role: "row", tabindex: -1, "data-run": run }, make("td.jobs-pick", { role: "gridcell" }, this.box), ...Object.values(this.cells));
	}
	update(row, arm, now) {
		const past = took(row);
		this.swatch.hidden = arm < 0;
		this.swatch.style.background = `var(--jobs-arm-${arm})`;
		this.#state(row);
		this.#progress(row);
		say(this.cells.sps, quantity(row.sps), known(row.sps, "agent steps per second"));
		say(this.cells.reward, quantity(row.reward), known(row.reward, "mean return per agent, latest"));
		if (past !== null) say(this.cells.left, `took ${duration(past)}`, `Ended ${moment(row.ended_at ?? 0)}`);
		else say(this.cells.left, duration(row.left_s), row.left_s === null ? "Not known yet" : "At its latest speed");
		this.tick(row, now);
	}
	#state(row) {
		if (this.element.dataset.state !== row.state) {
			const shape = mark(row.state);
			this.mark.replaceWith(shape);
			this.mark = shape;
			this.element.dataset.state = row.state;
		}
		setText(this.word, row.state);
		setText(this.reason, row.reason);
		setTitle(this.cells.state, [row.reason, row.words, row.history, row.cost].filter(Boolean).join("\n"));
	}
	#progress(row) {
		const done = fraction(row) ?? 0;
		drawShare(this.mark, done);
		this.fill.style.width = `${100 * done}%`;
		setText(this.steps, quantity(row.step) + (row.total === null ? "" : ` / ${quantity(row.total)}`));
		const [exact, asked] = [row.step, row.total].map((value) => value === null ? void 0 : WHOLE.format(value));
		setTitle(this.cells.progress, exact ? `${exact} of ${asked ?? "unknown"} agent steps` : "No row logged yet");
	}
	tick(row, now) {
		sayStart(this.cells.started, row.started_at, now);
	}
};
function sayStart(cell, at, now) {
	if (at === null) say(cell, MISSING, "Not started yet");
	else say(cell, since(at, now), moment(at));
}
function known(value, unit) {
	return value === null ? "Not logged yet" : `${value} ${unit}`;
}

var ROW_PX = 28;
var TableView = class {
	views = new Map();
	shown = [];
	arms = [];
	by = null;
	active = "";
	anchor = "";
	filter = make("input.jobs-filter.jobs-field", { type: "search", placeholder: "Filter jobs", label: "Filter jobs", oninput: () => this.update() });
	count = make("span.jobs-count", { "aria-live": "polite" });
	ongoing = make("ul.jobs-ongoing", { role: "status" });
	problems = make("ul.jobs-problems", { role: "status" });
	all = make("input", { type: "checkbox", label: "Select all jobs shown", onchange: () => this.select(this.all.checked ? this.order() : []) });
	body = make("tbody", { onclick: (event) => this.click(event) });
	heads = COLUMNS.map(([key, label]) => this.head(key, label));
	headRow = make("tr", { role: "row", "aria-rowindex": 1 }, make("th.jobs-pick", { role: "columnheader" }, this.all), ...this.heads);
	grid = make("table.jobs-grid", { role: "grid", label: "Jobs", "aria-multiselectable": "true", onkeydown: (event) => this.press(event) }, make("thead", {}, this.headRow), this.body);
	scroll = make("div.jobs-scroll", {}, this.grid);
	nothing = make("p.jobs-empty");
	detail = make("p.jobs-detail", { role: "status" });
	constructor(model, root) {
		this.model = model;
		this.root = root;
		this.held = heldOf(model, "rows", withNews);
		this.freshness = new Freshness(model, root);
		this.actions = new Actions(model, () => this.held.value, "job", () => this.focus(this.active || this.order()[0]));
		this.top = make("div.jobs-top", {}, this.filter, this.count, this.actions.buttons, this.freshness.element);
		this.window = new RowWindow(this.scroll, this.body, this.headRow, ROW_PX, () => this.place());
		root.replaceChildren(this.top, this.ongoing, this.problems, this.actions.confirm, this.scroll, this.nothing, this.detail);
	}
	head(key, label) {
		const numeric = !["run", "state"].includes(key);
		const press = () => {
			if (this.by?.key !== key) this.by = { key, down: numeric };
			else this.by = this.by.down === numeric ? { key, down: !numeric } : null;
			for (const each of this.heads) each.setAttribute("aria-sort", "none");
			if (this.by) head.setAttribute("aria-sort", this.by.down ? "descending" : "ascending");
			this.update();
		};
		const head = make(`th.jobs-${key}`, { role: "columnheader", scope: "col", "aria-sort": "none" }, make("button.jobs-sort", { type: "button", onclick: press }, label));
		return head;
	}
	order() {
		return this.shown.map((row) => row.run);
	}
	receive() {
		this.freshness.receive();
		this.tick();
	}
	update(piece) {
		const [rows, now, text] = [this.held.value, this.freshness.now(), this.filter.value.trim()];
		this.arms = colouredArms(rows);
		const known2 = new Set(rows.map((row) => row.run));
		for (const row of piece ? piece.rows.map(([at]) => rows[at]) : rows) this.views.get(row.run)?.update(row, this.arms.indexOf(row.arm), now);
		this.shown = sorted(text ? rows.filter((row) => holds(textOf(row), text)) : rows, this.by);
		this.grid.setAttribute("aria-rowcount", String(this.shown.length + 1));
		const selected = this.model.get("selected");
		if (selected.some((run) => !known2.has(run))) this.select(selected.filter((run) => known2.has(run)));
		this.top.hidden = this.scroll.hidden = this.detail.hidden = rows.length === 0;
		setText(this.nothing, rows.length ? `No job matches “${text}”. Change or clear the filter.` : this.model.get("empty"));
		this.nothing.hidden = this.shown.length > 0;
		this.place();
		setText(this.count, text ? `${this.shown.length} of ${summary(rows)}` : summary(rows));
		this.paint();
		this.tick();
	}
	place() {
		const focus2 = this.root.getRootNode().activeElement;
		const [held, now] = [focus2 === this.grid || this.body.contains(focus2), this.freshness.now()];
		const views = new Map();
		this.window.place(this.shown.length, (at) => {
			const row = this.shown[at];
			const known2 = this.views.get(row.run);
			const view = known2 ?? new RowView(row.run);
			if (!known2) view.update(row, this.arms.indexOf(row.arm), now);
			view.element.setAttribute("aria-rowindex", String(at + 2));
			views.set(row.run, view);
			return view.element;
		});
		this.views = views;
		this.paintRows();
		if (!held) return;
		const there = focus2 instanceof HTMLElement && focus2 !== this.grid && this.body.contains(focus2);
		const place = there ? focus2 : this.views.get(this.active)?.element ?? this.grid;
		if (place === this.grid) this.grid.tabIndex = -1;
		else this.grid.removeAttribute("tabindex");
		place.focus({ preventScroll: true });
	}
	paintRows() {
		const [selected, first] = [new Set(this.model.get("selected")), this.views.keys().next().value];
		for (const [run, view] of this.views) {
			view.element.setAttribute("aria-selected", String(selected.has(run)));
			view.element.tabIndex = run === (this.views.has(this.active) ? this.active : first) ? 0 : -1;
			view.box.checked = selected.has(run);
		}
	}
	paint() {
		const selected = new Set(this.model.get("selected"));
		const order = this.order();
		if (!order.includes(this.active)) this.active = "";
		this.paintRows();
		const count2 = order.filter((run) => selected.has(run)).length;
		this.all.checked = count2 > 0 && count2 === order.length;
		this.all.indeterminate = count2 > 0 && count2 < order.length;
		const row = this.shown.find((each) => each.run === this.active);
		const known2 = row ? [row.run, row.words, row.reason, row.history, row.cost] : [];
		setText(this.detail, known2.filter(Boolean).join("  ·  "));
		this.actions.offer();
	}
	select(runs) {
		this.actions.close();
		tellPython(this.model, "selected", runs);
		this.paint();
	}
	choose(run, extend, add) {
		const [order, selected] = [this.order(), this.model.get("selected")];
		const [from, to] = [order.indexOf(this.anchor), order.indexOf(run)];
		if (extend && from >= 0) return this.select(order.slice(Math.min(from, to), Math.max(from, to) + 1));
		this.anchor = run;
		const others = selected.filter((each) => each !== run);
		if (add) return this.select(others.length < selected.length ? others : [...selected, run]);
		return this.select(selected.length === 1 && others.length === 0 ? [] : [run]);
	}
	click(event) {
		const target = event.target;
		const run = target.closest("tr")?.dataset.run ?? "";
		if (target.closest(".jobs-name")) return void this.copy(run);
		this.focus(run);
		this.choose(run, event.shiftKey, event.ctrlKey || event.metaKey || target === this.views.get(run)?.box);
	}
	focus(run) {
		this.active = run;
		this.window.reveal(this.order().indexOf(run));
		this.place();
		this.paint();
		this.views.get(run)?.element.focus({ preventScroll: true });
	}
	press(event) {
		const [order, { key, shiftKey: shift }, control] = [this.order(), event, event.ctrlKey || event.metaKey];
		const target = event.target;
		if (target !== this.grid && !this.body.contains(target)) return;
		const run = target.closest("tr")?.dataset.run ?? (this.active || order[0]);
		const next = order[movedTo(key, order.indexOf(run), order.length)];
		if (next !== void 0) {
			this.focus(next);
			if (shift) this.choose(next, true, false);
		} else if (key === " ")
			this.choose(run, shift, true);
		else if (key === "Enter" || key === "c" && control) void this.copy(run);
		else if (key === "a" && control) this.select(order);
		else if (key === "Escape") this.select([]);
		else return;
		event.preventDefault();
		event.stopPropagation();
	}
	async copy(run) {
		setText(this.detail, await copyName(run));
	}
	tick() {
		this.freshness.tick();
		const now = this.freshness.now();
		for (const row of this.shown.slice(this.window.from, this.window.to)) this.views.get(row.run)?.tick(row, now);
	}
	tell() {
		sayLines(this.ongoing, this.model.get("ongoing"));
		sayLines(this.problems, [this.model.get("notice"), ...this.model.get("problems")].filter(Boolean));
	}
};

var TICK_MS = 1e3;
function render({ model, el }) {
	const view = new TableView(model, el.appendChild(make("div.jobs-table.look")));
	view.receive();
	view.tell();
	view.update();
	let news = null;
	let came = 0;
	const seen = whenSeen(() => {
		view.update(came === 1 ? news : null);
		came = 0;
		view.held.shown();
	});
	const stopHearing = view.held.listen((piece) => {
		news = piece;
		came++;
		seen.due();
	});
	const [tell, paint, tick] = [() => view.tell(), () => view.paint(), () => document.hidden || view.tick()];
	const stop = listen(model, {
		sent_at: () => view.receive(),
		ongoing: tell,
		problems: tell,
		notice: tell,
		empty: () => view.update(),
		actions: paint,
		selected: paint,
		as_of: tick,
		stale_after: tick
	});
	const timer = setInterval(tick, TICK_MS);
	view.held.shown();
	return () => {
		clearInterval(timer);
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
