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
function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
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

var marked = () => [document.body, document.documentElement];
function watchTheme(changed2) {
	const observer = new MutationObserver(changed2);
	for (const node of marked()) observer.observe(node, { attributes: true });
	const media = matchMedia("(prefers-color-scheme: dark)");
	media.addEventListener("change", changed2);
	return () => {
		observer.disconnect();
		media.removeEventListener("change", changed2);
	};
}
function isDark(element) {
	const probe = make("span", { style: "color: light-dark(#ffffff, #000000); display: none" });
	element.append(probe);
	const colour = getComputedStyle(probe).color;
	probe.remove();
	return colour === "rgb(0, 0, 0)";
}

var NEAR_PX = 32;
var GAP_PX = 18;
var AXIS_PX = 40;
var AXES_PX = 44;
var LEGEND_PX = 30;
function columnsIn(spec, width) {
	const each = (spec.concat?.[0]?.width ?? 0) + AXIS_PX + GAP_PX;
	return width > 0 ? Math.max(1, Math.min(spec.columns, Math.floor((width + GAP_PX) / each))) : spec.columns;
}
function waitHeight(spec) {
	const small = spec.concat ?? [spec];
	const rows = Math.ceil(small.length / Math.max(1, spec.columns ?? 1));
	return Math.max(0, ...small.map((each) => each.height ?? 0)) * rows + AXES_PX * rows + LEGEND_PX * new Set(legends(spec)).size;
}
function legends({ encoding = {}, layer = [], concat = [] }) {
	const own = [encoding.color, encoding.shape].map((channel) => channel?.legend?.orient).filter(Boolean);
	return [...own, ...[...layer, ...concat].flatMap(legends)];
}
function rowOf(columns, row) {
	return Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][row]]));
}
function rowsOf(columns) {
	return (Object.values(columns)[0] ?? []).map((_, row) => rowOf(columns, row));
}
function spliced(values, come, cuts) {
	const found = [];
	let [from, next] = [0, 0];
	for (const [at, gone, number] of cuts) {
		for (; from < at; from++) found.push(values[from]);
		for (const end = next + number; next < end; next++) found.push(come[next]);
		from += gone;
	}
	for (; from < values.length; from++) found.push(values[from]);
	return found;
}
function changed(tables, { datasets, gone }) {
	const now = Object.fromEntries(Object.entries(tables).filter(([name]) => !gone.includes(name)));
	for (const [name, { columns, cuts }] of Object.entries(datasets)) {
		const whole = cuts ? Object.entries(columns).map(([column, come]) => [column, spliced(now[name][column], come, cuts)]) : Object.entries(columns);
		now[name] = { ...now[name], ...Object.fromEntries(whole) };
	}
	return now;
}
function recoloured(value, colours) {
	return JSON.parse(JSON.stringify(value).replace(/#[0-9a-f]{6}/g, (colour) => colours[colour] ?? colour));
}
function nearest(points, at, toX, toY) {
	let [found, best] = [-1, NEAR_PX * NEAR_PX];
	const { x = [], y = [] } = points;
	for (let row = 0; row < x.length; row++) {
		const across = toX(x[row]) - at.x;
		if (Math.abs(across) > NEAR_PX) continue;
		const away = across ** 2 + (toY(y[row]) - at.y) ** 2;
		if (away < best) [found, best] = [row, away];
	}
	return found;
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

var MOVED_PX = 4;
var TIP_PX = 240;
var Pointer = class {
	hovered = -1;
	start = null;
	drag = make("div.chart-drag", { hidden: true });
	tip = make("div.chart-tip", { role: "status", hidden: true });
	constructor(chart) {
		this.chart = chart;
		set(chart.stage, {
			onpointerdown: (event) => this.press(event),
			onpointermove: (event) => this.move(event),
			onpointerup: (event) => this.drop(event),
			onpointercancel: () => this.letGo(),
			onpointerleave: () => this.point(-1),
			ondblclick: () => chart.pick && chart.tools.setZoom([])
		});
		chart.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
		chart.stage.append(this.drag, this.tip);
	}
	place({ clientX, clientY }) {
		const { plot, view } = this.chart;
		const { left, top } = (plot.querySelector("canvas, svg") ?? plot).getBoundingClientRect();
		const [x, y] = view.origin();
		return { x: clientX - left - x, y: clientY - top - y };
	}
	range(axis, from, to) {
		const scale = this.chart.view.scale(axis);
		const ends = scale.range().slice().sort((a, b) => a - b);
		const inside = [from, to].map((at) => scale.invert(Math.min(ends[1], Math.max(ends[0], at))));
		return inside.sort((a, b) => a - b);
	}
	press(event) {
		const { view, pick, stage } = this.chart;
		if (!view || !pick || event.button !== 0 || this.place(event).y < 0) return;
		this.start = { x: event.clientX, y: event.clientY };
		stage.setPointerCapture(event.pointerId);
	}
	move(event) {
		const { view, pick, stage, tools } = this.chart;
		if (!view || !pick) return;
		if (!this.start) return this.point(this.under(event), event);
		const whole = stage.getBoundingClientRect();
		const [left, right] = [this.start.x, event.clientX].sort((a, b) => a - b);
		const [top, bottom] = [this.start.y, event.clientY].sort((a, b) => a - b);
		if (right - left < MOVED_PX && bottom - top < MOVED_PX) return;
		this.point(-1);
		this.drag.hidden = false;
		const flat = tools.mode === "zoom";
		this.drag.style.left = `${left - whole.left + stage.scrollLeft}px`;
		this.drag.style.width = `${right - left}px`;
		this.drag.style.top = flat ? "0" : `${top - whole.top}px`;
		this.drag.style.height = flat ? "100%" : `${bottom - top}px`;
	}
	drop(event) {
		const [start, { view, tools }] = [this.start, this.chart];
		this.letGo();
		if (!start || !view) return;
		const [from, to] = [this.place({ clientX: start.x, clientY: start.y }), this.place(event)];
		const wide = Math.abs(to.x - from.x) >= MOVED_PX;
		if (!wide && Math.abs(to.y - from.y) < MOVED_PX) return this.click(event);
		if (tools.mode === "select") tools.setBrush({ x: this.range("x", from.x, to.x), y: this.range("y", from.y, to.y) });
		else if (wide) {
			const range = this.range("x", from.x, to.x);
			if (range[1] > range[0]) tools.setZoom(range);
		}
	}
	letGo() {
		this.start = null;
		this.drag.hidden = true;
	}
	get points() {
		return this.chart.tables[this.chart.pick?.points ?? ""];
	}
	under(event) {
		const { view } = this.chart;
		return this.points ? nearest(this.points, this.place(event), view.scale("x"), view.scale("y")) : -1;
	}
	run(number) {
		const runs = this.chart.tables[this.chart.pick?.runs ?? ""] ?? {};
		const row = (runs.k ?? []).indexOf(number);
		return row < 0 ? void 0 : rowOf(runs, row);
	}
	point(row, event) {
		const { points, chart: { view, pick } } = this;
		const number = row < 0 || !points ? -1 : points.k[row];
		if (number !== this.hovered && view) {
			this.hovered = number;
			void view.signal("hovered", number).runAsync();
		}
		this.tip.hidden = number < 0;
		if (number < 0 || !event || !pick) return;
		const run = this.run(number) ?? {};
		const said = (axis) => `${pick[axis]} ${quantity(points[axis][row])}`;
		const lines = [said("x"), said("y"), run.state ?? ""].map((line) => make("div", {}, line));
		fill(this.tip, make("b", {}, run.label ?? run.run ?? ""), ...lines);
		this.placeTip(event);
	}
	placeTip(event) {
		const whole = this.chart.stage.getBoundingClientRect();
		const [x, y] = [event.clientX - whole.left, event.clientY - whole.top];
		const right = x > whole.width - TIP_PX;
		this.tip.style.left = right ? "" : `${x + 14}px`;
		this.tip.style.right = right ? `${whole.width - x + 14}px` : "";
		this.tip.style.top = `${Math.max(0, Math.min(y + 10, whole.height - this.tip.offsetHeight))}px`;
	}
	click(event) {
		const { model } = this.chart;
		const row = this.under(event);
		const run = row < 0 ? "" : this.run(this.points.k[row])?.run ?? "";
		if (!model.get("can_select") || run === (model.get("clicked").run ?? "") && !run) return;
		tellPython(model, "clicked", { run, x: run ? this.points.x[row] : 0, nonce: nonce() });
	}
	wheel(event) {
		const { view, pick, tools } = this.chart;
		if (!view || !pick || !(event.ctrlKey || event.metaKey)) return;
		event.preventDefault();
		const scale = view.scale("x");
		const [low, high] = scale.range();
		const [at, factor] = [this.place(event).x, event.deltaY > 0 ? 1.25 : 0.8];
		const range = [scale.invert(at - (at - low) * factor), scale.invert(at + (high - at) * factor)];
		if (range[0] < range[1]) tools.setZoom(range);
	}
};

var SETTLED_MS = 200;
var Tools = class {
	mode = "zoom";
	zoom = button("Drag zooms", () => this.setMode("zoom"));
	select = button("Drag selects runs", () => this.setMode("select"));
	whole = button("Whole range", () => this.setZoom([]));
	all = button("All runs", () => this.setBrush({}));
	element = make("div.chart-tools", { role: "toolbar", label: "Chart" }, this.zoom, this.select, this.whole, this.all);
	saving = void 0;
	constructor(model, changed2) {
		this.model = model;
		this.changed = changed2;
		this.setMode("zoom");
	}
	show(shown) {
		this.element.hidden = !shown;
		this.zoom.hidden = this.select.hidden = !this.model.get("can_select");
		this.whole.hidden = this.model.get("zoom").length === 0;
		this.all.hidden = !this.model.get("brush").x;
	}
	setMode(mode) {
		this.mode = mode;
		this.zoom.setAttribute("aria-pressed", String(mode === "zoom"));
		this.select.setAttribute("aria-pressed", String(mode === "select"));
	}
	setZoom(range) {
		this.model.set("zoom", range);
		clearTimeout(this.saving);
		this.saving = setTimeout(() => this.model.save_changes(), SETTLED_MS);
	}
	setBrush(brush) {
		tellPython(this.model, "brush", brush);
		this.changed();
	}
	close() {
		clearTimeout(this.saving);
	}
};
function button(text, press) {
	return make("button", { type: "button", onclick: press }, text);
}

var PATIENCE_MS = 6e4;
function vega(model) {
	const page = globalThis;
	if (page.vegaEmbed) return Promise.resolve(page.vegaEmbed);
	if (!page.experimentsVega) {
		page.experimentsVega = asked(model).then(() => page.vegaEmbed);
		page.experimentsVega.catch(() => {
			page.experimentsVega = void 0;
		});
	}
	return page.experimentsVega;
}
function asked(model) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error("no answer")), PATIENCE_MS);
		const receive = async (message, buffers) => {
			if (message?.type !== "vega" || !buffers?.[0]) return;
			clearTimeout(timer);
			model.off("msg:custom", receive);
			const { buffer, byteOffset, byteLength } = buffers[0];
			const packed = new Blob([new Uint8Array(buffer, byteOffset, byteLength)]);
			const script = document.createElement("script");
			script.text = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).text();
			document.head.append(script);
			resolve();
		};
		model.on("msg:custom", receive);
		model.send({ type: "vega" });
	});
}

var ChartView = class {
	view = null;
	news = null;
	rows = new Map();
	turn = 0;
	columns = 0;
	plot = make("div.chart-plot");
	stage = make("div.chart-stage", {}, this.plot);
	wait = make("p.chart-wait", {}, "Drawing the chart");
	line = make("summary");
	caption = make("p.chart-caption");
	folded = make("details.chart-words", {}, this.line);
	constructor(model, root) {
		this.model = model;
		this.root = root;
		this.held = heldOf(model, "datasets", changed);
		this.tools = new Tools(model, () => this.tell());
		this.pointer = new Pointer(this);
		root.append(this.tools.element, this.wait, this.stage, this.folded, this.caption);
		this.resizer = new ResizeObserver(() => this.resize());
		this.resizer.observe(this.stage);
		this.dark = isDark(root);
		this.stopTheme = watchTheme(() => this.retheme());
	}
	get pick() {
		return this.model.get("spec").usermeta?.pick;
	}
	get tables() {
		return this.held.value;
	}
	note(piece) {
		const isFirst = this.news !== null && Object.keys(this.news).length === 0;
		this.news = piece && isFirst ? piece.datasets : null;
	}
	get colours() {
		return this.dark ? this.model.get("colours") : {};
	}
	async draw() {
		const turn = ++this.turn;
		const spec = this.model.get("spec");
		this.tell();
		if (!this.view) this.wait.style.minHeight = `${waitHeight(spec)}px`;
		if (!spec.$schema) {
			this.view?.finalize();
			this.view = null;
			this.held.shown();
			return;
		}
		try {
			const embed = await vega(this.model);
			if (turn !== this.turn) return;
			const options = { mode: "vega-lite", actions: false, renderer: "canvas", ...this.pick ? { tooltip: false } : {} };
			const at = this.held.version;
			const { view } = await embed(this.plot, this.full(spec), options);
			if (turn !== this.turn) return void view.finalize();
			this.view?.finalize();
			this.view = view;
			this.rows.clear();
			this.news = null;
			this.wait.hidden = true;
			this.count("drawn");
			if (this.held.version !== at) return await this.feed();
		} catch (error) {
			if (turn !== this.turn) return;
			this.wait.hidden = false;
			this.wait.style.minHeight = "";
			setText(this.wait, `This chart could not be drawn here (${error instanceof Error ? error.message : error}).`);
		}
		this.held.shown();
	}
	full(spec) {
		const full = recoloured({ ...spec, datasets: this.all() }, this.colours);
		const [from, to] = this.model.get("zoom");
		const given = this.model.get("params") ?? {};
		if (full.concat) this.columns = full.columns = columnsIn(spec, this.stage.clientWidth);
		for (const param of full.params ?? []) {
			if (param.name in given) param.value = given[param.name];
			if (param.name === "x_from" && from !== void 0) param.value = from;
			if (param.name === "x_to" && to !== void 0) param.value = to;
		}
		return full;
	}
	all() {
		return Object.fromEntries(Object.entries(this.tables).map(([name, columns]) => [name, rowsOf(columns)]));
	}
	async feed() {
		this.tell();
		const { view, turn } = this;
		if (!view) return;
		try {
			for (const [name, value] of Object.entries(this.model.get("params") ?? {})) view.signal(name, value);
			const news = this.news ?? Object.fromEntries(Object.keys(this.tables).map((name) => [name, null]));
			this.news = {};
			for (const [name, change] of Object.entries(news)) this.put(name, change);
			await view.runAsync();
			this.count("fed");
		} catch {
			if (turn === this.turn) return await this.draw();
		}
		this.held.shown();
	}
	put(name, change) {
		const [{ view }, before] = [this, this.rows.get(name)];
		if (!change?.cuts || !before) {
			const rows = rowsOf(this.tables[name]);
			view.data(name, name.includes("x") ? rows : recoloured(rows, this.colours));
			if (name.includes("x")) this.rows.set(name, rows);
			return;
		}
		const come = rowsOf(change.columns);
		const gone = change.cuts.flatMap(([at, number]) => before.slice(at, at + number));
		view.change(name, view.changeset().remove(gone).insert(come));
		this.rows.set(name, spliced(before, come, change.cuts));
	}
	count(what) {
		this.root.dataset[what] = String(Number(this.root.dataset[what] ?? 0) + 1);
	}
	tell() {
		this.root.hidden = !this.model.get("spec").$schema;
		this.tellWords(this.model.get("summary"), this.model.get("caption"));
		set(this.stage, { "data-pick": Boolean(this.pick), role: "img", label: this.model.get("description") || "Chart" });
		this.tools.show(Boolean(this.pick));
	}
	tellWords(line, text) {
		setText(this.line, line);
		setText(this.caption, text);
		this.folded.hidden = !line;
		const place = line ? this.folded : this.root;
		if (this.caption.parentNode !== place) place.append(this.caption);
	}
	retheme() {
		const dark = isDark(this.root);
		if (dark === this.dark) return;
		this.dark = dark;
		void this.draw();
	}
	resize() {
		const [width, spec] = [this.stage.clientWidth, this.model.get("spec")];
		if (!this.view || width <= 0) return;
		if (spec.width === "container") void this.view.width(width).runAsync();
		else if (spec.concat && columnsIn(spec, width) !== this.columns) void this.draw();
	}
	follow() {
		const [from, to] = this.model.get("zoom");
		if (this.view && this.pick) {
			this.view.signal("x_from", from ?? null).signal("x_to", to ?? null);
			void this.view.runAsync();
		}
		this.tell();
	}
	close() {
		this.turn++;
		this.tools.close();
		this.resizer.disconnect();
		this.stopTheme();
		this.view?.finalize();
	}
};

function render({ model, el }) {
	const chart = new ChartView(model, el.appendChild(make("div.chart-root.look")));
	let due = "";
	const seen = whenSeen(() => {
		chart.held.take();
		const now = due;
		due = "";
		if (now) void (now === "draw" ? chart.draw() : chart.feed());
	});
	const later = (what) => {
		due = due === "draw" ? due : what;
		seen.due();
	};
	const tell = () => chart.tell();
	const stop = listen(model, {
		spec: () => later("draw"),
		params: () => later("feed"),
		caption: tell,
		summary: tell,
		zoom: () => chart.follow(),
		brush: tell
	});
	const stopHearing = chart.held.listen((piece) => {
		chart.note(piece);
		later("feed");
	});
	void chart.draw();
	return () => {
		stop();
		stopHearing();
		seen.stop();
		chart.close();
	};
}
var widget_default = { render };
export {
	widget_default as default
};
