var { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;
function within(value, low, high) { return min(high, max(low, value)); }

function h(selector, props = {}, ...children) {
	const [tag, ...classes] = selector.split("."),
		node = fill(set(document.createElement(tag), props), ...children);
	node.classList.add(...classes);
	return node;
}
function set(node, props) {
	for (const [name, value] of Object.entries(props)) {
		const key = name === "label" ? "aria-label" : name;
		if (typeof value === "function") node.addEventListener(key.slice(2), value);
		else if (typeof value === "boolean") node.toggleAttribute(key, value);
		else node.setAttribute(key, String(value));
	}
	return node;
}
function fill(node, ...children) {
	node.replaceChildren(...children.filter((child) => child !== null));
	return node;
}
function setText(node, text2) { if (node.textContent !== text2) node.textContent = text2; }
function div(cls, ...children) { return h("div", { class: cls }, ...children); }
function span(cls, ...children) { return h("span", { class: cls }, ...children); }
function region(label, ...children) {
	return h("div.rv-scroll.rv-pad", { tabindex: 0, role: "region", label }, ...children);
}
function section(title, ...children) { return h("section", {}, h("h4", {}, title), ...children); }
function note(text2) { return h("p.rv-empty", {}, text2); }
function definitions(rows) {
	return h("dl.rv-facts", {}, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}
function button(label, press, cls = "rv-action", more = {}) {
	return h("button", { type: "button", class: cls, onclick: press, ...more }, label);
}
function icon(name) { return span(`rv-icon rv-icon-${name}`); }
function iconButton(name, label, press) {
	return button(icon(name), press, "rv-button", { label, title: label });
}
function localPoint(node, event) {
	const box = node.getBoundingClientRect();
	return { x: event.clientX - box.left, y: event.clientY - box.top };
}
function onDrag(node, drag, hover) {
	const move = (event) => {
		const { x, y } = localPoint(node, event);
		if (event.buttons & 1) drag(x, y);
		else hover?.(x, y);
	};
	const press = (event) => {
		if (event.button === 0) node.setPointerCapture(event.pointerId);
		move(event);
	};
	set(node, { onpointerdown: press, onpointermove: move });
}
function showTip(tip, shown, left, top, room) {
	tip.classList.toggle("rv-shown", shown);
	if (shown) tip.style.transform = `translate(${max(4, min(left, room - tip.offsetWidth - 4))}px, ${top}px)`;
}

var MISSING = "–";
var PROBLEM = "the data could not be read";
function count(value) {
	return Number.isFinite(value) ? minus(String(round(value)).replace(/\B(?=(\d{3})+$)/g, ",")) : MISSING;
}
function number(value) {
	if (!Number.isFinite(value) || value === 0) return value === 0 ? "0" : MISSING;
	const size = abs(value);
	if (size >= 1e9 || size < 1e-4) return minus(value.toExponential(2));
	if (Number.isInteger(value) || size >= 1e3) return count(value);
	return minus(String(Number(value.toPrecision(3))));
}
function signed(value) { return (value > 0 ? "+" : "") + number(value); }
function minus(text2) { return text2.replaceAll("-", "−"); }
function words(name) { return name.replace(/[_\s]+/g, " ").trim() || "unnamed"; }
function plural(n, noun) { return `${count(n)} ${noun}${n === 1 ? "" : "s"}`; }
function reason(error) { return error instanceof Error && error.message || PROBLEM; }
function tickStep(span2, wanted) {
	if (!(span2 > 0) || !(wanted > 0)) return 1;
	const power = 10 ** floor(Math.log10(span2 / wanted));
	return power * ([1, 2, 5].find((factor) => factor * power >= span2 / wanted) ?? 10);
}

var NAMES = "page raised text muted hairline accent onMark floor wall grid good bad cold gain talk fog heat".split(" ");
function palette(colours, marks) {
	const values = colours.split(" ");
	return { ...Object.fromEntries(NAMES.map((name, i) => [name, values[i]])), series: marks.split(" ") };
}
var palettes = {
	light: palette("#ffffff #f6f8fa #1c2128 #57606a #d0d7de #0072b2 #ffffff #ffffff #b4bcc6 #1c212812 #1a7f37 #c62828 #1f6feb #9a6700 #6e5494 #1c21286b #d55e00", "#0072b2 #d55e00 #008a62 #b5477d #8a6d00 #5a5fc8 #3f8f9b #7a4b2a"),
	dark: palette("#14171c #1c2128 #e6edf3 #a0a8b3 #30363d #56b4e9 #14171c #14171c #484f59 #e6edf312 #4ac26b #ff8a80 #6cb0ff #e3b341 #c3a6ff #00000099 #ff9248", "#56b4e9 #ff9248 #2fc79a #e58fbc #e6c84f #9ba2ff #74cbd6 #c9966f")
};
function series(palette2, index) { return palette2.series[(index % 8 + 8) % 8]; }

var KINDS = {
	reward: ["reward", "reward"],
	penalty: ["negative reward", "reward"],
	gain: ["item gain", "gains"],
	freeze: ["freeze", "freezes"],
	death: ["death", "deaths"],
	talk: ["talk", "talk"],
	failure: ["failed action", "failures"]
};
function agentEvents(replay, object, from = 0, to = replay.steps) {
	const starts = (field, entry, wanted, at = object) => {
		const steps = [];
		let last = from > 0 ? field.at(at, from - 1) : entry;
		field.runs(at, from, to, (start, _, value) => {
			if (value !== last && wanted(value, last)) steps.push(start);
			last = value;
		});
		return steps;
	};
	const gains = new Set(replay.pairsOf(object).flatMap((pair) => starts(replay.inventory, NaN, (now, before) => now > before, pair)));
	return {
		reward: starts(replay.field("current_reward"), 0, (now) => now > 0),
		penalty: starts(replay.field("current_reward"), 0, (now) => now < 0),
		gain: [...gains].sort((a, b) => a - b),
		freeze: starts(replay.field("is_frozen"), 0, (now) => now === 1),
		death: starts(replay.alive, 1, (now) => now === 0),
		failure: starts(replay.field("action_success"), 1, (now) => now === 0),
		talk: []
	};
}
function nextStep(sorted, step, way) {
	return (way > 0 ? sorted.find((value) => value > step) : sorted.findLast((value) => value < step)) ?? -1;
}
function rewardBins(replay, object, bins) {
	const sums = new Float64Array(bins),
		{ steps } = replay;
	replay.field("current_reward").runs(object, 0, steps, (start, end, value) => {
		for (let at = start, until = at; value && at < end; at = until) {
			const bin = binOf(at, bins, steps);
			until = min(end, binStart(bin + 1, bins, steps));
			sums[bin] += value * (until - at);
		}
	});
	return sums;
}
function binStart(bin, bins, steps) { return floor(bin * steps / bins); }
function binOf(step, bins, steps) { return ceil((step + 1) * bins / steps) - 1; }

function xOf({ left, width, steps }, step) { return left + (steps > 1 ? step / (steps - 1) * width : 0); }
function stepAt({ left, width, steps }, x) {
	return min(steps - 1, max(0, round((x - left) / max(1, width) * (steps - 1))));
}
function ticks({ width, steps }, spacing = 90) {
	const step = max(1, tickStep(steps - 1, width / spacing));
	return Array.from({ length: ceil(steps / step) }, (_, i) => i * step);
}
function ratePerStep(sums, steps, share) {
	const length = (bin) => binStart(bin + 1, sums.length, steps) - binStart(bin, sums.length, steps);
	return Float64Array.from(sums, (sum, bin) => sum / max(1, length(bin)) / max(1, share));
}
function runningTotal(sums, share) {
	let total = 0;
	return Float64Array.from(sums, (sum) => total += sum / max(1, share));
}
function extent(...lines) {
	let [low, high] = [0, 0];
	for (const line2 of lines) {
		for (let i = 0; i < line2.length; i++) {
			if (line2[i] < low) low = line2[i];
			if (line2[i] > high) high = line2[i];
		}
	}
	if (-low < high * 1e-6) low = 0;
	return { low, high: high > low ? high : low + 1 };
}

var Part = class {
	constructor(viewer) {
		this.viewer = viewer;
		this.replay = viewer.replay;
		this.facts = viewer.facts;
		this.sprites = viewer.sprites;
	}
	get state() { return this.viewer.store.state; }
	get palette() { return this.viewer.palette; }
};

var ROW = 28;
var SPARE = 4;
var MODES = { now: "held now", final: "held at the end", gained: "gained in total" };
var AgentTable = class extends Part {
	constructor(viewer) {
		super(viewer);
		this.mode = "now";
		this.sortedBy = "agent";
		this.ascending = true;
		this.order = [...this.replay.agents];
		this.items = this.facts.agentItems();
		this.pairs = new Map(Array.from(this.replay.pairItems, (item, pair) => [`${this.replay.pairObjects[pair]},${item}`, pair]));
		this.head = h("tr");
		this.body = h("tbody");
		this.table = h("table.rv-table", { label: "Agents", "aria-rowcount": this.order.length + 1 }, h("thead", {}, this.head), this.body);
		this.scroller = h("div.rv-scroll", { tabindex: 0, role: "region", label: "Agent table", onscroll: () => this.update() }, this.table);
		const modes = h("select.rv-select", { onchange: () => this.#build(modes.value) }, ...Object.entries(MODES).map(([value, text2]) => h("option", { value }, text2))),
			bar = h("label.rv-panel-bar", { hidden: this.items.length === 0 }, span("rv-muted", "Items"), modes);
		this.node = div("rv-panel-fill", bar, this.scroller);
		this.refresh();
		this.#build();
	}
	#build(mode = this.mode) {
		this.mode = mode;
		this.columns = [...this.#plainColumns(), ...this.items.map((item) => this.#itemColumn(item))];
		fill(this.head, ...this.columns.map((column) => this.#heading(column)));
		this.update();
	}
	#heading({ title, hint, wide }) {
		const sorted = title !== this.sortedBy ? "none" : this.ascending ? "ascending" : "descending";
		const press = () => {
			this.ascending = title === this.sortedBy ? !this.ascending : wide === true || title === "agent";
			this.sortedBy = title;
			this.#build();
		};
		const sort = h("button", { type: "button", class: "rv-sort", title: hint, onclick: press }, title, span("rv-sort-mark", { none: "", ascending: "↑", descending: "↓" }[sorted]));
		return h("th", { scope: "col", "aria-sort": sorted, class: wide ? "rv-left" : "" }, sort);
	}
	#plainColumns() {
		const { replay, facts } = this,
			numbers = (title, hint, value, format) => ({ title, hint, value, text: (object) => format(value(object)) }),
			doing = (object) => replay.here(object, this.state.shown) ? facts.actionText(object, this.state.shown) : "dead";
		return [
			numbers("agent", "Agent number", (object) => replay.agentIds[object], String),
			{ title: "doing", hint: "Action at this step", wide: true, value: (object) => replay.at("action_id", object, this.state.shown), text: doing },
			numbers("reward", "Reward at this step", (object) => replay.at("current_reward", object, this.state.shown), signed),
			numbers("total", "Reward up to this step", (object) => replay.total(object, this.state.shown), number),
			numbers("final", "Reward of the whole episode", (object) => replay.field("total_reward").last(object), number)
		];
	}
	#itemColumn(item) {
		const { inventory } = this.replay;
		const value = (object) => {
			const pair = this.pairs.get(`${object},${item}`);
			if (pair === void 0) return 0;
			return this.mode === "now" ? inventory.at(pair, this.state.shown) : this.mode === "final" ? inventory.last(pair) : this.#gained(pair);
		};
		const title = this.facts.itemName(item);
		return { title, hint: `${title}: ${MODES[this.mode]}`, value, text: (object) => value(object) === 0 ? "" : number(value(object)) };
	}
	#gained(pair) {
		let [sum, last] = [this.gains.get(pair) ?? 0, NaN];
		if (!this.gains.has(pair)) {
			this.replay.inventory.runs(pair, 0, this.replay.steps, (_, __, value) => {
				sum += max(0, value - last) || 0;
				last = value;
			});
			this.gains.set(pair, sum);
		}
		return sum;
	}
	refresh() { this.gains = new Map(); }
	update() {
		const { columns = [], body, scroller } = this;
		this.#sort();
		const first = max(0, floor(scroller.scrollTop / ROW) - SPARE),
			rows = this.order.slice(first, first + ceil(max(120, scroller.clientHeight) / ROW) + 2 * SPARE);
		while (body.rows.length > rows.length + 2) body.rows[1].remove();
		while (body.rows.length < rows.length + 2) {
			const row = h("tr", { onclick: () => this.viewer.select(Number(row.dataset.object)) }, ...columns.map(() => h("td")));
			body.insertBefore(row, body.rows.length > 1 ? body.rows[body.rows.length - 1] : null);
		}
		[first, this.order.length - first - rows.length].forEach((hidden, i) => {
			const spacer = body.rows[i && body.rows.length - 1];
			spacer.className = "rv-spacer";
			spacer.style.height = `${hidden * ROW}px`;
			spacer.hidden = hidden === 0;
		});
		rows.forEach((object, i) => this.#row(body.rows[i + 1], object, first + i + 2));
	}
	#sort() {
		const column = this.columns?.find(({ title }) => title === this.sortedBy),
			values = new Map(this.order.map((object) => [object, column?.value(object) || 0])),
			rank = (object) => values.get(object) * (this.ascending ? 1 : -1);
		this.order.sort((a, b) => rank(a) - rank(b) || this.replay.agentIds[a] - this.replay.agentIds[b]);
	}
	#row(row, object, index) {
		set(row, { "data-object": object, "aria-rowindex": index, "aria-selected": String(this.state.selected === object) });
		this.columns?.forEach(({ text: text2, wide }, at) => {
			const cell = row.cells[at];
			cell.className = wide ? "rv-left" : "";
			if (at > 0) return setText(cell, text2(object));
			if (!cell.firstChild) cell.append(span("rv-dot"), span(""));
			const [dot, label] = cell.children;
			dot.style.background = this.facts.colour(object, this.state.shown, this.palette);
			setText(label, text2(object));
		});
	}
};

var TAU = Math.PI * 2;
var FAMILY = 'px system-ui, -apple-system, "Segoe UI", sans-serif';
function pixelRatio() { return min(3, max(1, globalThis.devicePixelRatio || 1)); }
function penOf(canvas) { return canvas.getContext("2d"); }
function newCanvas(width, height = width) {
	const canvas = document.createElement("canvas");
	canvas.width = max(1, round(width));
	canvas.height = max(1, round(height));
	return canvas;
}
function prepare(canvas, width, height) {
	const ratio = pixelRatio(),
		[w, h2] = [max(1, round(width * ratio)), max(1, round(height * ratio))];
	if (canvas.width !== w || canvas.height !== h2) [canvas.width, canvas.height] = [w, h2];
	const pen = penOf(canvas);
	pen.setTransform(ratio, 0, 0, ratio, 0, 0);
	pen.clearRect(0, 0, width, height);
	return pen;
}
function rect(pen, colour, x, y, width, height) {
	pen.fillStyle = colour;
	pen.fillRect(x, y, width, height);
}
function disc(pen, colour, x, y, radius) {
	pen.fillStyle = colour;
	pen.beginPath();
	pen.arc(x, y, radius, 0, TAU);
	pen.fill();
}
function ink(pen, colour, width) {
	pen.strokeStyle = colour;
	pen.lineWidth = width;
}
function ring(pen, colour, x, y, radius, width) {
	ink(pen, colour, width);
	pen.beginPath();
	pen.arc(x, y, radius, 0, TAU);
	pen.stroke();
}
function write(pen, text2, x, y, colour, align = "right", font = "11") {
	pen.fillStyle = colour;
	pen.font = font + FAMILY;
	pen.textAlign = align;
	pen.textBaseline = "middle";
	pen.fillText(text2, x, y);
}
function line(pen, ...points) {
	pen.moveTo(points[0], points[1]);
	for (let i = 2; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1]);
}

var RULES = [
	[/^(noop|none|wait|stay|rest|idle)/, "wait"],
	[/vibe|colou?r|talk|say|signal|emote/, "signal"],
	[/^(move|go|walk|step)|cardinal|8way/, "move"],
	[/rotate|turn|face|orient/, "turn"],
	[/attack|zap|fire|shoot|laser|hit/, "attack"],
	[/get|take|withdraw|pick|collect|mine|harvest|gather/, "take"],
	[/put|give|deposit|drop|transfer|place|craft|use|build/, "give"]
];
var FAMILIES = {
	move: [0, "move"],
	turn: [6, "turn"],
	take: [2, "take"],
	give: [1, "put or use"],
	attack: [3, "attack"],
	signal: [5, "signal"],
	other: [4, "other"],
	wait: [-1, "wait"]
};
var WAYS = [["north", "up"], ["south", "down"], ["west", "left"], ["east", "right"]];
function describeAction(name) {
	const lower = name.toLowerCase(),
		family = RULES.find(([pattern]) => pattern.test(lower))?.[1] ?? "other",
		parts = lower.split(/[_-]/);
	return { name, family, direction: /move|turn/.test(family) ? WAYS.findIndex((words2) => words2.some((word) => parts.includes(word))) : -1 };
}
function directionOfMove(dx, dy) {
	if (dx === 0 && dy === 0) return -1;
	return abs(dx) > abs(dy) ? dx < 0 ? 2 : 3 : dy < 0 ? 0 : 1;
}
function drawGlyph(pen, family, direction, x, y, size) {
	pen.save();
	pen.translate(x + size / 2, y + size / 2);
	if (direction >= 0) pen.rotate([0, TAU / 2, -TAU / 4, TAU / 4][direction]);
	pen.scale(size / 16, size / 16);
	pen.lineWidth = 2;
	pen.lineCap = pen.lineJoin = "round";
	pen.beginPath();
	if (family === "turn") pen.arc(0, 0, 4, -TAU / 5, TAU * 0.55);
	if (family === "other") pen.arc(0, 0, 3.5, 0, TAU);
	for (const stroke of STROKES[direction < 0 && family === "move" ? "stuck" : family]) line(pen, ...stroke);
	pen.stroke();
	pen.restore();
}
var STROKES = {
	wait: [[-1, 0, 1, 0]],
	move: [[0, 5, 0, -4.5], [-3.5, -1, 0, -4.5, 3.5, -1]],
	stuck: [[-3, -3.5, 0, -0.5, 3, -3.5]],
	turn: [[-2, -5.5, 1.5, -4, -1.5, -1]],
	take: [[0, -5, 0, 2], [-3, -1, 0, 2, 3, -1], [-4.5, 5, 4.5, 5]],
	give: [[0, 2, 0, -5], [-3, -2, 0, -5, 3, -2], [-4.5, 5, 4.5, 5]],
	attack: [[-4, -4, 4, 4], [-4, 4, 4, -4]],
	signal: [[0, -4.5, 4.5, 0, 0, 4.5, -4.5, 0, 0, -4.5]],
	other: []
};

var FORMAT = 1;
var MAX_RAW = 1 << 30;
var MAX_RATIO = 1040;
var WireError = class extends Error {};
function asBytes(value) {
	if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
	return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(0);
}
async function inflate(bytes, raw, what) {
	if (typeof DecompressionStream === "undefined") throw new WireError("this browser is too old to inflate data");
	if (raw > MAX_RAW || raw > bytes.length * MAX_RATIO + 64) throw new WireError(`${what} claims ${raw} bytes, which cannot be`);
	const out = new Uint8Array(raw),
		packed = new Blob([bytes]),
		reader = packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
	let filled = 0;
	try {
		for (let part = await reader.read(); !part.done; part = await reader.read()) {
			out.set(part.value, filled);
			filled += part.value.length;
		}
	} catch {
		reader.cancel().catch(() => {});
		filled = -1;
	}
	if (filled !== raw) throw new WireError(`${what} is damaged and cannot be inflated`);
	return out;
}
async function readHeader(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < 16 || view.getUint32(0) !== 1380994135) throw new WireError("the data is not an encoded replay");
	const [format, size, raw] = [4, 8, 12].map((at) => view.getUint32(at, true));
	if (format !== FORMAT) throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
	if (16 + size > bytes.length || raw > MAX_RAW / 16) throw new WireError("the header is cut short");
	const json = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"), "the header");
	return checkHeader(json ?? {}, 16 + size, bytes.length);
}
function parseJson(bytes, what) {
	try { return JSON.parse(new TextDecoder().decode(bytes)); } catch { throw new WireError(`${what} is not readable JSON`); }
}
function checkHeader(json, start, length) {
	const [width, height] = list(json.map_size);
	const header = {
		hash: text(json.hash),
		label: text(json.label),
		version: Number(json.version) || 0,
		width: whole(width, "map_size", 1, 16384),
		height: whole(height, "map_size", 1, 16384),
		steps: whole(json.steps, "steps", 1, 2e7),
		objects: whole(json.objects, "objects", 0, 5e6),
		agents: whole(json.agents, "agents", 0, json.objects),
		pairs: whole(json.pairs ?? 0, "pairs", 0, 5e7),
		fields: mapped(json.fields, (info) => ({ kind: text(info?.kind), scalar: info?.scalar ?? null })),
		movers: mapped(json.movers, (movers, name) => whole(movers, `movers of ${name}`, 0, 5e7)),
		tables: mapped(json.tables, list),
		issues: list(json.issues).filter(Boolean),
		issues_more: Number(json.issues_more) || 0,
		chunks: list(json.chunks).map((chunk) => chunkInfo(chunk ?? {}, start, length))
	};
	for (const key of ["type_names", "action_names", "item_names", "capacity_names", "group_names", "vibe_names", "tags"])
		header[key] = list(json[key]).map(text);
	if (width * height > 1 << 26) throw new WireError(`the map of ${width} x ${height} cells is too large to show`);
	return header;
}
function whole(value, name, low, high) {
	if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
	throw new WireError(`the header's ${name} is not a whole number from ${low} to ${high}`);
}
function text(value) { return String(value ?? ""); }
function list(value) { return Array.isArray(value) ? value : []; }
function mapped(value, read) {
	return new Map(Object.entries(value ?? {}).map(([name, entry]) => [name, read(entry, name)]));
}
function chunkInfo(chunk, start, length) {
	const size = whole(chunk.size, "chunk size", 0, MAX_RAW),
		offset = chunk.offset === null ? null : start + whole(chunk.offset, "chunk offset", 0, length);
	if (offset !== null && offset + size > length) throw new WireError(`the part ${text(chunk.id)} is cut off`);
	const [from, to, raw] = [chunk.from ?? 0, chunk.to ?? 0, chunk.raw].map((value) => whole(value, "chunk", 0, MAX_RAW));
	return { id: text(chunk.id), kind: text(chunk.kind), from, to, size, raw, offset, fields: list(chunk.fields).map(text) };
}
var DTYPES = new Map(Object.entries({
	i1: Int8Array,
	u1: Uint8Array,
	i2: Int16Array,
	u2: Uint16Array,
	i4: Int32Array,
	u4: Uint32Array,
	f4: Float32Array,
	f8: Float64Array,
	json: Uint8Array
}));
var Columns = class {
	constructor(bytes, what) {
		this.what = what;
		this.bytes = bytes;
		const size = bytes.length < 8 ? MAX_RAW : new DataView(bytes.buffer).getUint32(0, true);
		if (8 + size > bytes.length) throw new WireError(`${what} is cut short`);
		this.directory = mapped(parseJson(bytes.subarray(8, 8 + size), what), list);
	}
	has(name) { return this.directory.has(name); }
	numbers(name, length) {
		const [dtype, size, offset] = this.directory.get(name) ?? ["u1", 0, 0],
			Type = DTYPES.get(dtype),
			fits = Type && size >= 0 && offset >= 0 && offset % 8 === 0 && size % 1 === 0 && offset + size * Type.BYTES_PER_ELEMENT <= this.bytes.length;
		if (!fits || (length ?? size) !== size) throw new WireError(`${this.what} is damaged at ${name}`);
		return new Type(this.bytes.buffer, offset, size);
	}
	json(name) { return parseJson(this.numbers(name), `${name} of ${this.what}`); }
};
function runningSum(deltas, bound, what) {
	const sums = new Int32Array(deltas.length);
	for (let i = 0, sum = 0; i < deltas.length; i++) {
		sums[i] = sum += deltas[i];
		if (!(sum >= 0 && sum < bound)) throw new WireError(`${what} points outside its list`);
	}
	return sums;
}

var Track = class {
	constructor(from, starts, steps, read, keys, rows) {
		this.from = from;
		this.starts = starts;
		this.steps = steps;
		this.read = read;
		this.keys = keys;
		this.rows = rows;
	}
	find(mover, step) {
		const first = this.starts[mover];
		let [low, high] = [first, this.starts[mover + 1]];
		while (low < high) {
			const middle = low + high >>> 1;
			if (this.steps[middle] <= step - this.from) low = middle + 1;
			else high = middle;
		}
		return low === first ? -1 : low - 1;
	}
	value(mover, point) { return point < 0 ? this.keys[mover] : this.read(mover, point); }
	row(mover, point) {
		return this.rows ? point < 0 ? this.rows.keys[mover] : this.rows.values[point] : 0;
	}
	at(mover, step) { return this.value(mover, this.find(mover, step)); }
	runs(mover, from, to, visit) {
		let point = this.find(mover, from);
		for (let start = from; start < to; ) {
			const next = point < 0 ? this.starts[mover] : point + 1,
				until = next < this.starts[mover + 1] ? min(to, this.from + this.steps[next]) : to;
			if (until > start) visit(start, until, this.value(mover, point));
			[start, point] = [until, next];
		}
	}
};
function decodeTrack(columns, name, kind, movers, from, to, entry, map) {
	const starts = new Uint32Array(movers + 1);
	if (columns.has(`${name}.n`)) starts.set(columns.numbers(`${name}.n`, movers), 1);
	for (let i = 1; i <= movers; i++) starts[i] += starts[i - 1];
	const total = starts[movers];
	const steps = ascending(columns.numbers(`${name}.s`, total), starts, to - from, name);
	const track = (read, keys2, rows = null) => new Track(from, starts, steps, read, keys2, rows);
	if (kind === "xy") {
		const [keyX, keyY] = entry ?? [columns.numbers(`${name}.kx`, movers), columns.numbers(`${name}.ky`, movers)];
		const x = accumulate(columns.numbers(`${name}.vx`, total), starts, keyX, 0, map.width, name);
		const y = accumulate(columns.numbers(`${name}.vy`, total), starts, keyY, 0, map.height, name);
		return track((_, point) => x[point], keyX, { values: y, keys: keyY });
	}
	const keys = entry ? entry[0] : columns.numbers(`${name}.k`, movers);
	if (kind === "bool") return track((mover, point) => keys[mover] ^ point - starts[mover] + 1 & 1, keys);
	const values = columns.numbers(`${name}.v`, total);
	if (kind === "float" && columns.has(`${name}.u`)) {
		const distinct = columns.numbers(`${name}.u`);
		return track((_, point) => distinct[values[point]] ?? NaN, keys);
	}
	const plain2 = kind === "delta" ? accumulate(values, starts, keys, -(2 ** 31), 2 ** 31, name) : values;
	return track((_, point) => plain2[point], keys);
}
function ascending(deltas, starts, span2, name) {
	const steps = span2 <= 65536 ? new Uint16Array(deltas.length) : new Uint32Array(deltas.length);
	for (let mover = 0; mover + 1 < starts.length; mover++) {
		let step = -1;
		for (let i = starts[mover]; i < starts[mover + 1]; i++) {
			const next = step < 0 ? deltas[i] : step + deltas[i];
			if (!(next > step && next < span2)) throw new WireError(`the steps of ${name} are out of order`);
			steps[i] = step = next;
		}
	}
	return steps;
}
function accumulate(deltas, starts, keys, low, high, name) {
	const values = low === 0 ? new Uint16Array(deltas.length) : new Int32Array(deltas.length);
	for (let mover = 0; mover + 1 < starts.length; mover++) {
		let value = keys[mover];
		for (let i = starts[mover]; i < starts[mover + 1]; i++) {
			value += deltas[i];
			if (!(value >= low && value < high)) throw new WireError(`a value of ${name} is out of range`);
			values[i] = value;
		}
	}
	return values;
}

var DEFAULTS = { alive: 1, collective_id: -1, action_id: -1, action_success: 1, vision_size: 11 };
var KEEP_BYTES = 48e6;
var Field = class {
	constructor(replay, name, length) {
		const { base, header } = replay,
			info = header.fields.get(name);
		this.replay = replay;
		this.name = name;
		this.present = info !== void 0;
		this.kind = info?.kind ?? "int";
		const [x, y] = this.kind === "xy" ? ["x", "y"] : ["", ""],
			scalar = info ? info.scalar : DEFAULTS[name] ?? 0;
		const columns = scalar === null ? [base.numbers(`${name}.c${x}`, length), base.numbers(`${name}.c${y}`, length)] : null;
		this.columns = columns;
		this.scalars = [scalar, scalar].flat().map(Number);
		const count2 = (info && header.movers.get(name)) ?? 0;
		this.movers = runningSum(base.numbers(`${name}.i`, count2), length, name);
		this.lasts = base.numbers(`${name}.f${x}`, count2);
		const moverOf = new Int32Array(count2 ? length : 0).fill(-1);
		for (let mover = 0; mover < count2; mover++) moverOf[this.movers[mover]] = mover;
		this.moverOf = moverOf;
	}
	first(object, axis = 0) {
		return this.columns ? this.columns[axis][object] : this.scalars[axis];
	}
	mover(object) { return this.moverOf[object] ?? -1; }
	last(object) {
		const mover = this.mover(object);
		return mover < 0 ? this.first(object) : this.lasts[mover];
	}
	at(object, step) {
		const mover = this.mover(object);
		if (mover < 0 || step <= 0) return this.first(object);
		return this.replay.track(this, step)?.at(mover, step) ?? NaN;
	}
	runs(object, from, to, visit) {
		const mover = this.mover(object);
		if (mover < 0 && from < to) visit(from, to, this.first(object));
		if (mover < 0) return;
		for (const chunk of this.replay.chunks) {
			const [low, high] = [max(from, chunk.from), min(to, chunk.to)];
			if (low < high && chunk.columns) this.replay.track(this, low)?.runs(mover, low, high, visit);
		}
	}
};
var Replay = class _Replay {
	constructor(bytes, header, base, ask) {
		this.bytes = bytes;
		this.header = header;
		this.base = base;
		this.ask = ask;
		this.steps = header.steps;
		this.map = { width: header.width, height: header.height };
		const n = header.objects;
		this.ids = runningSum(base.numbers("id", n), 2 ** 31 - 1, "the list of ids");
		this.types = base.numbers("type", n);
		this.agentIds = base.numbers("agent_id", n);
		this.agents = Int32Array.from(base.numbers("agent_objects", header.agents)).filter((object) => object >= 0 && object < n);
		this.fields = new Map();
		for (const [name, info] of header.fields)
			if (name !== "inventory" && info.kind !== "text") this.field(name);
		this.location = this.field("location");
		this.alive = this.field("alive");
		this.pairItems = base.numbers("inventory.t", header.pairs);
		this.pairObjects = runningSum(base.numbers("inventory.o", header.pairs), n, "the inventory");
		this.inventory = new Field(this, "inventory", header.pairs);
		this.chunks = header.chunks.filter((info) => info.kind === "steps").map((info) => ({ info, from: info.from, to: info.to, columns: null, loading: null, failed: "", used: 0, tracks: new Map() }));
		const joined = this.chunks.every((chunk, i) => chunk.to > chunk.from && chunk.from === (this.chunks[i - 1]?.to ?? 0));
		if (!this.location.present || !joined || this.chunks.at(-1)?.to !== this.steps) throw new WireError("the parts of the replay do not join");
		this.texts = header.chunks.filter((info) => info.kind === "text");
		this.config = header.chunks.find((info) => info.kind === "config") ?? null;
		this.recent = this.chunks[0];
		this.clock = 0;
		this.onload = () => {};
	}
	static async open(bytes, ask) {
		const header = await readHeader(bytes),
			info = header.chunks.find((chunk) => chunk.kind === "base");
		if (!info || info.offset === null) throw new WireError("the data holds no first step");
		const raw = await inflate(bytes.subarray(info.offset, info.offset + info.size), info.raw, "the first step");
		return new _Replay(bytes, header, new Columns(raw, "the first step"), ask);
	}
	field(name) {
		const field = this.fields.get(name) ?? new Field(this, name, this.header.objects);
		this.fields.set(name, field);
		return field;
	}
	at(name, object, step) { return this.field(name).at(object, step); }
	here(object, step) { return this.alive.at(object, step) !== 0; }
	indexOfId(id) { return this.ids.indexOf(id); }
	clampStep(step) { return min(this.steps - 1, max(0, round(step) || 0)); }
	chunkOf(step) {
		if (step < this.recent.from || step >= this.recent.to) this.recent = this.chunks.find((chunk) => step < chunk.to) ?? this.chunks[0];
		return this.recent;
	}
	ready(step) { return step <= 0 || this.chunkOf(step).columns !== null; }
	async load(step) {
		const chunk = this.chunkOf(step);
		if (!chunk.columns && !chunk.failed) await (chunk.loading ??= this.#fetch(chunk));
	}
	async #fetch(chunk) {
		const what = `the part with steps ${chunk.from} to ${chunk.to - 1}`;
		try {
			chunk.columns = new Columns(await this.#raw(chunk.info, what), what);
			chunk.used = ++this.clock;
			this.#forget();
		} catch (error) { chunk.failed = reason(error); }
		chunk.loading = null;
		this.onload();
	}
	async #raw({ id, offset, size, raw }, what) {
		return inflate(offset === null ? await this.ask(this.header.hash, id) : this.bytes.subarray(offset, offset + size), raw, what);
	}
	#forget() {
		const held = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => b.used - a.used);
		let bytes = 0;
		held.forEach((chunk, i) => {
			bytes += chunk.info.raw;
			if (i > 2 && bytes > KEEP_BYTES) this.#drop(chunk);
		});
	}
	#drop(chunk) {
		chunk.columns = null;
		chunk.tracks.clear();
	}
	async loadAhead() {
		let bytes = 0;
		for (const { info, from } of this.chunks) {
			bytes += info.raw;
			if (info.offset === null || from > 0 && bytes > KEEP_BYTES) return;
			await new Promise((resolve) => setTimeout(resolve));
			await this.load(max(1, from));
		}
	}
	track(field, step) {
		const chunk = this.chunkOf(step);
		chunk.used = ++this.clock;
		return chunk.tracks.get(field.name) ?? this.#guard(chunk, (columns) => {
			const entry = chunk.from > 0 ? null : [0, 1].map((axis) => Float64Array.from(field.movers, (object) => field.first(object, axis))),
				track = decodeTrack(columns, field.name, field.kind, field.movers.length, chunk.from, chunk.to, entry, this.map);
			chunk.tracks.set(field.name, track);
			return track;
		});
	}
	#guard(chunk, read) {
		try { return chunk.columns && read(chunk.columns); } catch (error) {
			chunk.failed = reason(error);
			this.#drop(chunk);
			queueMicrotask(() => this.onload());
			return null;
		}
	}
	locate(object, step, out = { x: 0, y: 0 }) {
		const { location } = this,
			mover = location.mover(object),
			track = mover < 0 || step <= 0 ? null : this.track(location, step),
			point = track ? track.find(mover, step) : -1;
		out.x = track ? track.value(mover, point) : location.first(object);
		out.y = track ? track.row(mover, point) : location.first(object, 1);
		return out;
	}
	pairsOf(object) {
		const pairs = [];
		for (let pair = lowerBound(this.pairObjects, object); this.pairObjects[pair] === object; pair++) pairs.push(pair);
		return pairs;
	}
	total(object, step) {
		const totals = this.field("total_reward");
		if (totals.kind !== "derived") return totals.at(object, step);
		const mover = totals.mover(object);
		if (mover < 0 || step <= 0) return totals.first(object);
		const chunk = this.chunkOf(step),
			entry = this.#guard(chunk, (columns) => chunk.from > 0 ? columns.numbers("total_reward.k", totals.movers.length)[mover] : totals.first(object));
		let total = entry ?? NaN;
		this.field("current_reward").runs(object, max(1, chunk.from), step + 1, (from, to, value) => { total += value * (to - from); });
		return total;
	}
	tableList(table, object, step) {
		const value = this.header.tables.get(table)?.[this.at(table, object, step)];
		return Array.isArray(value) ? value : [];
	}
	async textColumns(text2) {
		return new Columns(await this.#raw(this.texts[text2], "the texts"), "the texts");
	}
	async configValue() {
		return this.config && parseJson(await this.#raw(this.config, "the configuration"), "the configuration");
	}
};
function lowerBound(sorted, value) {
	let [low, high] = [0, sorted.length];
	while (low < high) {
		const middle = low + high >>> 1;
		if (sorted[middle] < value) low = middle + 1;
		else high = middle;
	}
	return low;
}

var WALL = /(^|[_.:\s-])(wall|block|border|obstacle)s?($|[_.:\s-])/i;
var SHAPES = [[0, 0], [6, 0], [4, 0], [5, -1 / 4], [3, -1 / 4]];
var LOOKS = 35;
function kindOf(name) {
	return /^agent/i.test(name) ? "agent" : WALL.test(name) ? "wall" : "thing";
}
function hash(text2) {
	let value = 2166136261;
	for (let i = 0; i < text2.length; i++) value = Math.imul(value ^ text2.charCodeAt(i), 16777619);
	return value >>> 0;
}
function describeSprites(names, all = names) {
	const looks = new Set(),
		taken = new Set(),
		made = new Map();
	for (const name of [...new Set(all)].sort()) {
		const kind = kindOf(name);
		let look = hash(name) % LOOKS;
		for (let i = 0; kind === "thing" && looks.has(look) && i < LOOKS; i++) look = (look + 1) % LOOKS;
		if (kind === "thing") looks.add(look);
		made.set(name, { kind, shape: floor(look / 7), hue: 1 + look % 7, letters: kind === "thing" ? letters(name, taken) : "", name });
	}
	return names.map((name) => made.get(name));
}
function letters(name, taken) {
	const [first = "?", ...rest] = name.replace(/[^\p{L}\p{N}]/gu, "");
	const found = [...rest, ..."23456789"].map((second) => first.toUpperCase() + second.toLowerCase()).find((pair) => !taken.has(pair)) ?? first;
	taken.add(found);
	return found;
}
function drawThing(pen, sprite, palette2, size) {
	const [corners, turn] = SHAPES[sprite.shape],
		half = size / 2;
	pen.fillStyle = series(palette2, sprite.hue);
	pen.beginPath();
	if (corners === 0) pen.roundRect(size * 0.08, size * 0.08, size * 0.84, size * 0.84, size * 0.14);
	for (let i = 0; i < corners; i++)
		pen.lineTo(half + cos((turn + i / corners) * TAU) * size * 0.48, half + sin((turn + i / corners) * TAU) * size * 0.48);
	pen.fill();
	if (size >= 15)
		write(pen, sprite.letters, half, size * (corners === 3 ? 0.58 : 0.53), palette2.onMark, "center", `600 ${size * (corners === 3 ? 0.34 : 0.42)}`);
}
function drawAgent(pen, colour, palette2, label, pad, size, facing) {
	const centre = pad + size / 2;
	disc(pen, palette2.page, centre, centre, size * 0.5);
	if (facing >= 0 && size >= 8) {
		const angle = [-TAU / 4, TAU / 4, TAU / 2, 0][facing & 3];
		pen.fillStyle = colour;
		pen.beginPath();
		for (const [turn, reach] of [[0, 0.56], [0.7, 0.36], [-0.7, 0.36]])
			pen.lineTo(centre + cos(angle + turn) * size * reach, centre + sin(angle + turn) * size * reach);
		pen.fill();
	}
	disc(pen, colour, centre, centre, size * 0.41);
	write(pen, label, centre, centre + size * 0.03, palette2.onMark, "center", `600 ${size * (label.length > 2 ? 0.34 : 0.44)}`);
}
function colourOf(sprite, palette2) {
	return sprite.kind === "wall" ? palette2.wall : series(palette2, sprite.hue);
}
var SpriteCache = class {
	drawn = new Map();
	images = new Map();
	thing(sprite, palette2, size) {
		const draw = (pen) => sprite.kind === "wall" ? rect(pen, palette2.wall, 0, 0, size, size) : drawThing(pen, sprite, palette2, size);
		return this.images.get(sprite.name) ?? this.#make(`${sprite.name}|${size}`, size, draw);
	}
	agent(colour, palette2, label, size, facing) {
		const pad = agentPad(size);
		return this.#make(`${colour}|${label}|${facing}|${size}`, size + 2 * pad, (pen) => drawAgent(pen, colour, palette2, label, pad, size, facing));
	}
	#make(key, side, draw) {
		let canvas = this.drawn.get(key);
		if (!canvas) {
			if (this.drawn.size > 4e3) this.drawn.clear();
			canvas = newCanvas(side);
			draw(penOf(canvas));
			this.drawn.set(key, canvas);
		}
		return canvas;
	}
	async readImages(bytes) {
		const start = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true),
			index = parseJson(bytes.subarray(4, start), "the sprite index");
		for (const [name, [offset, length]] of Object.entries(index)) {
			const file = bytes.subarray(start + offset, start + offset + length);
			if (file[0] !== 137 || file[1] !== 80) continue;
			const image = await createImageBitmap(new Blob([file], { type: "image/png" })).catch(() => null);
			if (image) this.images.set(name, image);
		}
	}
};
function agentPad(size) { return ceil(size * 0.08); }

var UNKNOWN = { kind: "thing", shape: 0, hue: 7, letters: "?", name: "unknown" };
var DIRECTIONS = ["up", "down", "left", "right"];
var Facts = class {
	constructor(replay, all = [replay]) {
		this.replay = replay;
		const { header } = replay;
		this.symbols = describeSprites(header.type_names, all.flatMap((each) => each.header.type_names));
		this.actions = header.action_names.map(describeAction);
		this.isAgent = new Uint8Array(header.objects);
		for (const object of replay.agents) this.isAgent[object] = 1;
		this.teams = new Teams(replay);
		const movers = new Set([...replay.location.movers, ...replay.alive.movers]),
			{ location, alive, map } = replay,
			order = new Float64Array(header.objects);
		let n = 0;
		for (let i = 0; i < header.objects; i++) {
			const y = location.first(i, 1);
			if (!movers.has(i) && alive.first(i) && location.first(i) < map.width && y < map.height) order[n++] = y * header.objects + i;
		}
		this.still = new Int32Array(n);
		this.rows = new Int32Array(n);
		order.subarray(0, n).sort().forEach((key, i) => {
			this.still[i] = key % header.objects;
			this.rows[i] = key / header.objects;
		});
		this.movingThings = [...movers].filter((object) => !this.isAgent[object]);
		this.teamThings = this.teams.heldThings(this.isAgent);
		this.effectDelay = header.version === 1 ? 1 : 0;
	}
	each(x0, y0, x1, y1, visit) {
		for (let i = lowerBound(this.rows, y0); this.rows[i] < y1; i++) {
			const x = this.replay.location.first(this.still[i]);
			if (x >= x0 && x < x1) visit(this.still[i], x, this.rows[i]);
		}
	}
	sprite(object) { return this.symbols[this.replay.types[object]] ?? UNKNOWN; }
	colour(object, step, palette2) {
		return this.isAgent[object] ? series(palette2, this.teams.hue(this.teams.of(object, step))) : colourOf(this.sprite(object), palette2);
	}
	title(object) {
		const { replay } = this;
		return this.isAgent[object] ? `agent ${replay.agentIds[object]}` : `${words(this.sprite(object).name)} #${replay.ids[object]}`;
	}
	actionText(object, step) {
		const [id, parameter] = [this.replay.at("action_id", object, step), this.replay.at("action_param", object, step)],
			known = this.actions[id];
		if (!known) return id >= 0 ? `action ${id}` : "no action";
		if (known.direction < 0 && known.family === "turn") return `${words(known.name)} ${DIRECTIONS[parameter] ?? parameter}`;
		return parameter ? `${words(known.name)} (${parameter})` : words(known.name);
	}
	direction(object, action, step) {
		if (!action || action.direction >= 0) return action?.direction ?? -1;
		if (action.family === "turn")
			return DIRECTIONS[this.replay.at("action_param", object, step)] ? this.replay.at("action_param", object, step) : -1;
		const after = min(this.replay.steps - 1, step + this.effectDelay);
		if (action.family !== "move" || after < 1 || !this.replay.ready(after)) return -1;
		const [a, b] = [this.replay.locate(object, after - 1), this.replay.locate(object, after)];
		return directionOfMove(b.x - a.x, b.y - a.y);
	}
	facing(object, step) {
		const { replay } = this,
			turns = replay.field("orientation");
		if (turns.movers.length > 0) return turns.at(object, step);
		const mover = replay.location.mover(object),
			track = mover < 0 || step <= 0 ? null : replay.track(replay.location, step),
			point = track ? track.find(mover, step) : -1;
		if (!track || point < 0) return -1;
		const before = point === track.starts[mover] ? -1 : point - 1;
		return directionOfMove(track.value(mover, point) - track.value(mover, before), track.row(mover, point) - track.row(mover, before));
	}
	itemName(item) { return words(this.replay.header.item_names[item] || `item ${item}`); }
	vibeName(vibe) { return words(this.replay.header.vibe_names[vibe] || String(vibe)); }
	agentItems() {
		const { pairItems, pairObjects } = this.replay;
		return [...new Set(pairItems.filter((_, pair) => this.isAgent[pairObjects[pair]]))].sort((a, b) => a - b);
	}
	holdings(object, step) {
		const { replay } = this,
			held = replay.pairsOf(object).map((pair) => [replay.pairItems[pair], replay.inventory.at(pair, step)]);
		return held.filter(([, amount]) => amount);
	}
	summary(object, step) {
		const held = this.holdings(object, step).slice(0, 6).map(([item, amount]) => `${this.itemName(item)} ${number(amount)}`);
		const team = this.teams.nameOf(this.teams.of(object, step));
		return [this.title(object), team, this.isAgent[object] ? this.actionText(object, step) : "", ...held].filter(Boolean).join(" · ");
	}
};
var HUES = ["blue", "red", "green", "pink", "yellow", "purple", "cyan", "brown"];
var Teams = class {
	constructor(replay) {
		const { tags, tables, group_names } = replay.header,
			tagged = tags.flatMap((tag, id) => tag.startsWith("team:") ? [{ id, name: tag.slice(5) }] : []),
			name = tagged.length ? "tag_ids" : replay.field("collective_id").present ? "collective_id" : "group_id";
		this.replay = replay;
		this.field = replay.field(name);
		this.entries = tagged.length ? (tables.get("tag_ids") ?? []).map((set2) => Array.isArray(set2) ? tagged.findIndex((team) => set2.includes(team.id)) : -1) : null;
		const seen = new Set(Array.from(replay.agents, (object) => this.of(object, 0)));
		this.values = tagged.length ? tagged.map((_, i) => i) : [...seen].filter((value) => value >= 0).sort((a, b) => a - b);
		this.names = tagged.length ? tagged.map((team) => team.name) : name === "group_id" ? group_names : [];
		const wished = this.values.map((value) => HUES.findIndex((hue) => this.names[value]?.includes(hue)));
		this.hues = wished.includes(-1) ? [...this.values.keys()] : wished;
	}
	of(object, step) {
		const value = this.field.at(object, step);
		return (this.entries ? this.entries[value] : value) ?? -1;
	}
	hue(team) { return this.hues[this.values.indexOf(team)] ?? 0; }
	nameOf(team) {
		return team >= 0 && this.values.length > 1 ? words(this.names[team] || `team ${team}`) : "";
	}
	heldThings(isAgent) {
		if (this.values.length < 2 || this.field.name === "group_id") return [];
		return Array.from(isAgent.keys()).filter((object) => !isAgent[object] && (this.field.mover(object) >= 0 || this.of(object, 0) >= 0));
	}
};

var KEY_HELP = [
	["Space", "play or pause"],
	["[ ] ← →", "one step (with Shift: ten)"],
	["Home End", "first, last step"],
	["- =", "half, double speed"],
	["↑ ↓", "previous, next agent"],
	[", .", "previous, next event"],
	["F", "follow the selection"],
	["0", "whole map"],
	["/", "find"],
	["Esc", "select nothing"]
];
var KEYS = {
	" ": ["toggle"],
	"[": ["move", -1],
	"]": ["move", 1],
	ArrowLeft: ["move", -1],
	ArrowRight: ["move", 1],
	Home: ["seek", 0],
	End: ["seek", Infinity],
	"-": ["scaleSpeed", 0.5],
	"=": ["scaleSpeed", 2],
	"+": ["scaleSpeed", 2],
	ArrowUp: ["selectNext", -1],
	ArrowDown: ["selectNext", 1],
	",": ["jump", -1],
	".": ["jump", 1],
	f: ["toggleFollow"],
	F: ["toggleFollow"],
	0: ["fit"],
	"/": ["find"],
	Escape: ["select", -1]
};
function handleKey(event, target) {
	const { key, shiftKey } = event,
		from = event.composedPath()[0],
		held = event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea");
	if (held || !Object.hasOwn(KEYS, key) || key === " " && from.closest("button, a, summary")) return;
	if (/Up|Down|Home|End/.test(key) && from.closest(".rv-scroll, .rv-trace-scroll")) return;
	event.preventDefault();
	event.stopPropagation();
	const [method, argument = 0] = KEYS[key];
	target[method](argument * (shiftKey && method === "move" ? 10 : 1));
}

var MAX_SCALE = 96;
var MARGIN = 10;
function fit(map, view) {
	const scale = min((view.width - 2 * MARGIN) / map.width, (view.height - 2 * MARGIN) / map.height);
	return { x: map.width / 2, y: map.height / 2, scale: within(scale, 0.05, MAX_SCALE) };
}
function toWorld(camera, view, px, py) {
	return { x: (px - view.width / 2) / camera.scale + camera.x, y: (py - view.height / 2) / camera.scale + camera.y };
}
function clamp({ x, y, scale }, map, view) {
	const whole2 = fit(map, view);
	if (![x, y, scale].every(Number.isFinite)) return whole2;
	return { x: within(x, 0, map.width), y: within(y, 0, map.height), scale: within(scale, min(whole2.scale * 0.6, 8), MAX_SCALE) };
}
function zoomAt(camera, map, view, factor, px, py) {
	const { scale } = clamp({ ...camera, scale: camera.scale * factor }, map, view),
		{ x, y } = toWorld(camera, view, px, py);
	return clamp({ x: x - (px - view.width / 2) / scale, y: y - (py - view.height / 2) / scale, scale }, map, view);
}
function visibleCells(camera, map, view) {
	const low = toWorld(camera, view, 0, 0),
		high = toWorld(camera, view, view.width, view.height);
	return { x0: max(0, floor(low.x)), y0: max(0, floor(low.y)), x1: min(map.width, ceil(high.x)), y1: min(map.height, ceil(high.y)) };
}

var MAX_CELLS = 4e6;
var SLICE = 128;
var Presence = class {
	constructor(replay) {
		this.replay = replay;
		const cells = replay.map.width * replay.map.height;
		this.tooLarge = cells > MAX_CELLS;
		this.counts = new Float64Array(this.tooLarge ? 0 : cells);
		this.until = this.peak = 0;
	}
	advance(step, budget) {
		const end = performance.now() + budget;
		if (step + 1 < this.until) {
			this.counts.fill(0);
			this.until = this.peak = 0;
		}
		while (this.until <= step && !this.tooLarge && performance.now() < end) {
			const goal = min(step + 1, this.until + SLICE);
			for (const object of this.replay.agents) this.#count(object, this.until, goal);
			this.until = goal;
		}
		return this.until > step || this.tooLarge;
	}
	#count(object, from, to) {
		const place = { x: 0, y: 0 };
		this.replay.location.runs(object, from, to, (start, end) => {
			this.replay.locate(object, start, place);
			const cell = place.y * this.replay.map.width + place.x;
			this.counts[cell] += end - start;
			this.peak = max(this.peak, this.counts[cell] || 0);
		});
	}
};

function plain(name) { return name.toLowerCase().replace(/[_\s]+/g, " ").trim(); }
function search(facts, query) {
	const text2 = plain(query),
		agent = /^agent ?(\d+)$/.exec(text2),
		{ replay } = facts;
	if (agent) return { matches: (object) => facts.title(object) === `agent ${agent[1]}`, items: [] };
	if (!text2) return null;
	const { type_names, item_names, tags, tables } = replay.header,
		has = (name) => plain(name).includes(text2),
		types = type_names.map(has),
		sets = (tables.get("tag_ids") ?? []).map((set2) => Array.isArray(set2) && set2.some((tag) => has(tags[tag] ?? "")));
	return {
		matches: (object) => types[replay.types[object]] || sets[replay.at("tag_ids", object, 0)] || text2 === `#${replay.ids[object]}`,
		items: item_names.flatMap((name, item) => has(name) ? [item] : [])
	};
}
function matching({ replay, isAgent }, found, step, limit = 5e3) {
	const hits = new Set();
	replay.pairItems.forEach((item, pair) => {
		if (found.items.includes(item) && replay.inventory.at(pair, step) > 0) hits.add(replay.pairObjects[pair]);
	});
	for (let object = 0; object < isAgent.length; object++)
		if (found.matches(object)) hits.add(object);
	const present = [...hits].filter((object) => replay.here(object, step));
	return present.sort((a, b) => isAgent[b] - isAgent[a] || a - b).slice(0, limit);
}

var TRAIL_STEPS = 200;
var MOST_RINGS = 800;
var Overlays = class extends Part {
	presence = new Presence(this.replay);
	mask = newCanvas(1);
	heat = newCanvas(this.presence.tooLarge ? 1 : this.replay.map.width, this.presence.tooLarge ? 1 : this.replay.map.height);
	trail(pen, { left, top, perCell }) {
		const { replay } = this,
			{ selected, shown } = this.state,
			width = max(2 * pixelRatio(), perCell * 0.13),
			[from, to] = [max(0, shown - TRAIL_STEPS), min(replay.steps, shown + TRAIL_STEPS)];
		let last = replay.locate(selected, from);
		ink(pen, this.facts.colour(selected, shown, this.palette), width);
		pen.lineCap = "round";
		replay.location.runs(selected, from, to, (start) => {
			const at = replay.locate(selected, start);
			pen.globalAlpha = 0.9 - 0.8 * abs(start - shown) / TRAIL_STEPS;
			pen.setLineDash(start > shown ? [width * 0.1, width * 2.1] : []);
			pen.beginPath();
			if (abs(at.x - last.x) + abs(at.y - last.y) <= 2)
				line(pen, ...[last, at].flatMap(({ x, y }) => [left + (x + 0.5) * perCell, top + (y + 0.5) * perCell]));
			pen.stroke();
			last = at;
		});
		pen.setLineDash([]);
		pen.globalAlpha = 1;
	}
	#sight(frame, object, { x, y }) {
		const reach = floor(this.replay.at("vision_size", object, this.state.shown) / 2) || 0,
			side = (2 * reach + 1) * frame.perCell;
		return [frame.left + (x - reach) * frame.perCell, frame.top + (y - reach) * frame.perCell, side, side];
	}
	vision(pen, frame, place) {
		const { selected } = this.state;
		ink(pen, this.palette.accent, 1.5);
		pen.setLineDash([5, 4]);
		pen.strokeRect(...this.#sight(frame, selected, place(selected)));
		pen.setLineDash([]);
	}
	fog(pen, frame, place) {
		const { replay, mask } = this,
			{ selected, shown } = this.state,
			{ width, height } = replay.map;
		[mask.width, mask.height] = [frame.width, frame.height];
		const sheet = penOf(mask);
		rect(sheet, this.palette.fog, frame.left, frame.top, width * frame.perCell, height * frame.perCell);
		for (const object of this.facts.isAgent[selected] ? [selected] : replay.agents) {
			if (replay.here(object, shown)) sheet.clearRect(...this.#sight(frame, object, place(object)));
		}
		pen.drawImage(mask, 0, 0);
	}
	presenceMap(pen, frame) {
		const { presence, heat } = this,
			done = presence.advance(this.state.shown, 8);
		if (presence.tooLarge) return true;
		const sheet = penOf(heat),
			top = log1p(presence.peak);
		sheet.clearRect(0, 0, heat.width, heat.height);
		presence.counts.forEach((count2, cell) => {
			sheet.globalAlpha = 0.12 + 0.6 * (log1p(count2) / top);
			if (count2) rect(sheet, this.palette.heat, cell % heat.width, floor(cell / heat.width), 1, 1);
		});
		pen.imageSmoothingEnabled = false;
		pen.drawImage(heat, frame.left, frame.top, heat.width * frame.perCell, heat.height * frame.perCell);
		return done;
	}
	hits(pen, frame, place, draw) {
		const { found, shown } = this.state;
		if (!found) return;
		const { width, height } = this.replay.map;
		pen.globalAlpha = 0.72;
		rect(pen, this.palette.floor, frame.left, frame.top, width * frame.perCell, height * frame.perCell);
		pen.globalAlpha = 1;
		const list2 = matching(this.facts, found, shown);
		for (const object of list2) {
			const at = place(object);
			draw(object, at);
			if (list2.length <= MOST_RINGS)
				ring(pen, this.palette.accent, frame.left + (at.x + 0.5) * frame.perCell, frame.top + (at.y + 0.5) * frame.perCell, max(5 * pixelRatio(), frame.perCell * 0.72), max(1.5 * pixelRatio(), frame.perCell * 0.06));
		}
	}
};

var PLAIN_BELOW = 9;
var GRID_FROM = 14;
var Still = class extends Part {
	far = null;
	near = newCanvas(1);
	nearKey = "";
	refresh() {
		this.far = null;
		this.nearKey = "";
	}
	get picture() {
		const { width, height } = this.replay.map;
		if (!this.far) {
			this.far = newCanvas(width, height);
			const pen = penOf(this.far),
				{ facts, palette: palette2 } = this;
			rect(pen, palette2.floor, 0, 0, width, height);
			const colours = facts.symbols.map((sprite) => colourOf(sprite, palette2));
			facts.each(0, 0, width, height, (object, x, y) => rect(pen, colours[this.replay.types[object]] ?? palette2.muted, x, y, 1, 1));
		}
		return this.far;
	}
	draw(pen, frame) {
		const { perCell, left, top, width, height } = frame,
			key = [perCell, left, top, width, height, this.state.layers.grid].join();
		pen.imageSmoothingEnabled = perCell < 1;
		if (perCell < PLAIN_BELOW)
			return pen.drawImage(this.picture, left, top, round(this.replay.map.width * perCell), round(this.replay.map.height * perCell));
		if (key !== this.nearKey) this.#bake(frame);
		this.nearKey = key;
		pen.drawImage(this.near, 0, 0);
	}
	#bake({ perCell, left, top, width, height }) {
		const { palette: palette2, sprites, facts } = this,
			{ map } = this.replay;
		[this.near.width, this.near.height] = [width, height];
		const pen = penOf(this.near),
			[x0, y0] = [max(0, floor(-left / perCell)), max(0, floor(-top / perCell))],
			[x1, y1] = [min(map.width, ceil((width - left) / perCell)), min(map.height, ceil((height - top) / perCell))],
			px = (x) => left + round(x * perCell),
			py = (y) => top + round(y * perCell);
		if (perCell >= GRID_FROM && this.state.layers.grid) {
			for (let x = x0; x < x1; x++) rect(pen, palette2.grid, px(x), py(y0), 1, py(y1) - py(y0));
			for (let y = y0; y < y1; y++) rect(pen, palette2.grid, px(x0), py(y), px(x1) - px(x0), 1);
		}
		facts.each(x0, y0, x1, y1, (object, x, y) => pen.drawImage(sprites.thing(facts.sprite(object), palette2, round(perCell)), px(x), py(y), px(x + 1) - px(x), py(y + 1) - py(y)));
	}
};

var MapView = class extends Part {
	constructor(viewer) {
		super(viewer);
		this.canvas = h("canvas.rv-map-canvas", {});
		this.tip = div("rv-tip");
		this.notice = h("div.rv-notice", { role: "status" });
		this.node = h("div.rv-map", { role: "img", label: "Map of the replay" }, this.canvas, this.tip, this.notice);
		this.still = new Still(viewer);
		this.overlays = new Overlays(viewer);
		this.size = { width: 0, height: 0 };
		this.hint = "";
		this.place = this.place.bind(this);
		this.#listen();
	}
	resize(width, height) {
		this.size = { width, height };
		this.canvas.width = max(1, round(width * pixelRatio()));
		this.canvas.height = max(1, round(height * pixelRatio()));
	}
	get camera() {
		const { camera, follow, selected } = this.state,
			{ map } = this.replay,
			now = camera ? clamp(camera, map, this.size) : fit(map, this.size);
		if (!follow || selected < 0) return now;
		const { x, y } = this.place(selected);
		return { x: x + 0.5, y: y + 0.5, scale: now.scale };
	}
	set camera(camera) {
		this.viewer.store.set({ camera: clamp(camera, this.replay.map, this.size), follow: false });
	}
	place(object) {
		const { replay } = this,
			{ shown, fraction } = this.state,
			now = replay.locate(object, shown);
		if (fraction <= 0 || replay.location.mover(object) < 0 || shown + 1 >= replay.steps || !replay.ready(shown + 1)) return now;
		const next = replay.locate(object, shown + 1);
		if (abs(next.x - now.x) + abs(next.y - now.y) > 2) return now;
		return { x: now.x + (next.x - now.x) * fraction, y: now.y + (next.y - now.y) * fraction };
	}
	draw() {
		const { palette: palette2, overlays, place } = this,
			{ layers, found, selected } = this.state,
			chosen = this.facts.isAgent[selected],
			{ width, height } = this.replay.map,
			pen = this.canvas.getContext("2d", { alpha: false }),
			camera = this.camera,
			perCell = camera.scale * this.canvas.width / max(1, this.size.width);
		const frame = {
			perCell,
			width: this.canvas.width,
			height: this.canvas.height,
			left: round(this.canvas.width / 2 - camera.x * perCell),
			top: round(this.canvas.height / 2 - camera.y * perCell)
		};
		rect(pen, palette2.raised, 0, 0, frame.width, frame.height);
		if (perCell >= PLAIN_BELOW) rect(pen, palette2.floor, frame.left, frame.top, round(width * perCell), round(height * perCell));
		this.still.draw(pen, frame);
		if (layers.heat && !overlays.presenceMap(pen, frame)) this.viewer.invalidate("map");
		pen.imageSmoothingEnabled = true;
		this.#teamRings(pen, frame);
		if (layers.trail && chosen) overlays.trail(pen, frame);
		this.#movers(pen, frame, camera);
		if (layers.fog) overlays.fog(pen, frame, place);
		if (found) overlays.hits(pen, frame, place, (object, at) => this.#drawAt(pen, frame, object, at));
		if (layers.vision && chosen) overlays.vision(pen, frame, place);
		this.#selection(pen, frame);
		setText(this.notice, this.#noticeText());
	}
	#teamRings(pen, { left, top, perCell }) {
		const { facts, replay } = this,
			{ shown } = this.state;
		for (const object of facts.teamThings) {
			const team = facts.teams.of(object, shown);
			if (team < 0 || !replay.here(object, shown)) continue;
			const { x, y } = replay.locate(object, shown);
			ink(pen, series(this.palette, facts.teams.hue(team)), max(1, perCell * 0.1));
			pen.strokeRect(left + x * perCell + 0.5, top + y * perCell + 0.5, perCell - 1, perCell - 1);
		}
	}
	#movers(pen, frame, camera) {
		const seen = visibleCells(camera, this.replay.map, this.size);
		for (const list2 of [this.facts.movingThings, this.replay.agents]) {
			for (const object of list2) {
				const at = this.place(object),
					inView = at.x >= seen.x0 - 1 && at.y >= seen.y0 - 1 && at.x <= seen.x1 && at.y <= seen.y1;
				if (inView && this.replay.here(object, this.state.shown)) this.#drawAt(pen, frame, object, at);
			}
		}
	}
	#drawAt(pen, { left, top, perCell }, object, at) {
		const { facts, sprites, palette: palette2 } = this,
			{ shown } = this.state,
			[x, y] = [left + round(at.x * perCell), top + round(at.y * perCell)],
			size = max(2, round(perCell)),
			sprite = facts.sprite(object),
			colour = facts.colour(object, shown, palette2);
		if (size < PLAIN_BELOW && !facts.isAgent[object]) { rect(pen, colour, x, y, size, size); } else if (!facts.isAgent[object] || size >= PLAIN_BELOW && sprites.images.has(sprite.name)) {
			pen.drawImage(sprites.thing(sprite, palette2, size), x, y, size, size);
		} else {
			const drawn = max(7 * pixelRatio(), size),
				shift = (drawn - size) / 2 + agentPad(drawn),
				label = drawn >= 13 ? String(this.replay.agentIds[object]) : "";
			pen.drawImage(sprites.agent(colour, palette2, label, drawn, drawn >= 8 ? facts.facing(object, shown) : -1), round(x - shift), round(y - shift));
		}
		if (facts.isAgent[object] && size >= 6) this.#badges(pen, object, x, y, size);
	}
	#badges(pen, object, x, y, size) {
		const { replay, palette: palette2 } = this,
			{ shown } = this.state,
			unit = max(3, size * 0.17);
		if (replay.at("is_frozen", object, shown)) {
			ink(pen, palette2.cold, max(1.5, size * 0.1));
			pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
		}
		if (size >= 10 && replay.at("action_success", object, shown) === 0) {
			const right = x + size - 1.4 * unit;
			ink(pen, palette2.bad, max(1.5, size * 0.08));
			pen.beginPath();
			line(pen, right, y - unit * 0.2, right + 1.6 * unit, y + unit * 1.4);
			line(pen, right, y + unit * 1.4, right + 1.6 * unit, y - unit * 0.2);
			pen.stroke();
		}
		const reward = replay.at("current_reward", object, shown);
		if (reward) disc(pen, reward > 0 ? palette2.good : palette2.bad, x + unit * 0.6, y + unit * 0.6, unit * 0.75);
	}
	#selection(pen, { left, top, perCell }) {
		const { selected } = this.state;
		if (selected < 0) return;
		const { x, y } = this.place(selected),
			unit = pixelRatio(),
			at = [left + (x + 0.5) * perCell, top + (y + 0.5) * perCell, max(7 * unit, perCell * 0.66)];
		ring(pen, this.palette.page, ...at, 5 * unit);
		ring(pen, this.palette.text, ...at, 2.5 * unit);
	}
	#noticeText() {
		const { step, layers } = this.state,
			{ failed } = this.replay.chunkOf(step);
		if (!this.replay.ready(step)) return failed ? `Step ${step} cannot be shown: ${failed}.` : `Loading step ${step}`;
		return layers.heat && this.overlays.presence.tooLarge ? "This map is too large for a presence map." : this.hint;
	}
	#pick(px, py) {
		const { facts, replay, camera } = this,
			{ shown } = this.state,
			cell = toWorld(camera, this.size, px, py),
			[x, y] = [floor(cell.x), floor(cell.y)];
		const far = (object) => {
			const at = this.place(object);
			return hypot(at.x + 0.5 - cell.x, at.y + 0.5 - cell.y);
		};
		const near = [...replay.agents, ...facts.movingThings].filter((object) => far(object) < (facts.isAgent[object] ? max(0.6, 9 / camera.scale) : 0.6) && replay.here(object, shown)),
			found = near.sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || far(a) - far(b));
		facts.each(x, y, x + 1, y + 1, (object) => found.push(object));
		return found;
	}
	#listen() {
		const { canvas } = this;
		let drag = null;
		set(canvas, {
			onpointerdown: (event) => {
				if (event.button !== 0) return;
				drag = { ...localPoint(canvas, event), moved: false };
				canvas.setPointerCapture(event.pointerId);
			},
			onpointermove: (event) => {
				const { x, y } = localPoint(canvas, event);
				if (!drag) this.#hover(x, y);
				else if (drag.moved || hypot(x - drag.x, y - drag.y) > 4) {
					const { camera } = this;
					this.camera = { ...camera, x: camera.x - (x - drag.x) / camera.scale, y: camera.y - (y - drag.y) / camera.scale };
					drag = { x, y, moved: true };
				}
			},
			onpointerup: () => {
				if (drag && !drag.moved) this.#click(drag.x, drag.y);
				drag = null;
			},
			onpointercancel: () => { drag = null; },
			onpointerleave: () => this.#hover(-1, -1)
		});
		canvas.addEventListener("wheel", (event) => {
			if (!event.ctrlKey && !event.metaKey && !this.node.closest(".rv-root")?.matches(":focus-within")) {
				this.viewer.hint("Click the map, or hold Ctrl, to zoom with the wheel");
				return;
			}
			event.preventDefault();
			const { x, y } = localPoint(canvas, event);
			this.zoom(Math.exp(-within(event.deltaY * (event.deltaMode ? 16 : 1), -240, 240) * 22e-4), x, y);
		}, { passive: false });
	}
	zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
		this.viewer.store.set({ camera: zoomAt(this.camera, this.replay.map, this.size, factor, x, y) });
	}
	#click(x, y) {
		const here = this.#pick(x, y);
		this.viewer.select(here[(here.indexOf(this.state.selected) + 1) % max(1, here.length)] ?? -1);
	}
	#hover(x, y) {
		const [object = -1] = x < 0 ? [] : this.#pick(x, y),
			shown = object >= 0 && this.facts.sprite(object).kind !== "wall";
		this.canvas.style.cursor = shown ? "pointer" : "";
		if (shown) setText(this.tip, this.facts.summary(object, this.state.shown));
		showTip(this.tip, shown, x + 14, y > this.size.height - 58 ? y - 36 : y + 16, this.size.width);
	}
};

function viewText(camera, follow) {
	if (!camera) return "";
	return [camera.x, camera.y, camera.scale].map((value) => Number(value.toFixed(2))).join(",") + (follow ? ",follow" : "");
}
function readView(text2) {
	const match = /^(-?[\d.]+),(-?[\d.]+),([\d.]+)(,follow)?$/.exec(String(text2).slice(0, 200)),
		[x, y, scale] = (match ?? []).slice(1, 4).map(Number);
	return scale > 0 && Number.isFinite(x + y) ? { camera: { x, y, scale }, follow: Boolean(match?.[4]) } : { camera: null, follow: false };
}
function shareText(step, id, view) {
	return `step=${step}${id === null ? "" : `&selected=${id}`}${view ? `&view=${encodeURIComponent(view)}` : ""}`;
}
function readShare(text2) {
	const values = new URLSearchParams(text2.slice(0, 2e3).trim().replace(/^[^=?#]*[?#]/, ""));
	const whole2 = (key) => /^\d{1,15}$/.test(values.get(key) ?? "") ? Number(values.get(key)) : null;
	return { step: whole2("step"), selected: whole2("selected"), view: values.get("view") };
}
function mettascopeLink(url) {
	return /^https?:\/\//i.test(url) ? `https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=${encodeURIComponent(url)}` : "";
}

var LAYERS = {
	trail: "Path of the selection",
	vision: "Vision of the selection",
	fog: "Fog over what is unseen",
	heat: "Where agents have been",
	grid: "Grid"
};
var FOOT = 28;
function menu(name, label, ...content) {
	const details = h("details.rv-menu", {
		onfocusout: (event) => {
			if (event.relatedTarget instanceof Node && !details.contains(event.relatedTarget)) details.open = false;
		},
		onkeydown: (event) => {
			event.stopPropagation();
			if (event.key === "Escape") details.open = false;
		}
	}, h("summary.rv-button", { title: label }, icon(name), label), h("div.rv-menu-box", { tabindex: -1 }, ...content));
	return details;
}
function layerMenu({ store }) {
	return menu("layers", "Show", ...Object.entries(LAYERS).map(([key, label]) => {
		const box = h("input", { type: "checkbox", checked: store.state.layers[key], onchange: () => store.set({ layers: { ...store.state.layers, [key]: box.checked } }) });
		return h("label.rv-check", {}, box, label);
	}));
}
function placeText({ store, replay, map }) {
	const { step, selected, camera, follow } = store.state;
	return shareText(step, selected >= 0 ? replay.ids[selected] : null, viewText(follow ? map.camera : camera, follow));
}
function goTo(viewer, text2) {
	const place = readShare(text2);
	if (place.selected !== null) viewer.select(viewer.replay.indexOfId(place.selected));
	if (place.view !== null) viewer.store.set(readView(place.view));
	if (place.step !== null) viewer.seek(place.step);
}
function shareMenu(viewer) {
	const input = h("input.rv-share-text", { type: "text", label: "This place as text", spellcheck: "false" }),
		said = h("span.rv-muted", { role: "status" });
	const copy = () => {
		input.value = placeText(viewer);
		input.select();
		Promise.resolve(navigator.clipboard?.writeText(input.value) ?? Promise.reject()).then(() => setText(said, "Copied"), () => setText(said, "Selected: copy it with Ctrl+C"));
	};
	const link = mettascopeLink(viewer.options.url);
	const details = menu("share", "Share", h("label.rv-menu-label", {}, "This place: step, selection and view", input), div("rv-row", button("Copy the place", copy), button("Go to the place", () => goTo(viewer, input.value)), said), h("hr"), div("rv-row", button("Save the map as PNG", () => savePicture(viewer)), link ? h("a.rv-action", { href: link, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : null), h("hr"), h("dl.rv-keys", {}, ...KEY_HELP.flatMap(([keys, what]) => [h("dt", {}, keys), h("dd", {}, what)])));
	details.addEventListener("toggle", () => {
		input.value = placeText(viewer);
		setText(said, "");
	});
	return details;
}
function picture({ map, palette: palette2, store, options, replay, facts }) {
	const { canvas, size } = map,
		{ shown, selected } = store.state,
		ratio = canvas.width / max(1, size.width),
		copy = newCanvas(canvas.width, canvas.height + FOOT * ratio),
		pen = penOf(copy);
	map.draw();
	rect(pen, palette2.page, 0, 0, copy.width, copy.height);
	pen.drawImage(canvas, 0, 0);
	pen.scale(ratio, ratio);
	const parts = [options.title, `step ${count(shown)} of ${count(replay.steps - 1)}`, selected >= 0 ? facts.title(selected) : ""];
	write(pen, parts.filter(Boolean).join(" · "), 10, size.height + FOOT / 2, palette2.text, "left", "13");
	return copy;
}
function savePicture(viewer) {
	picture(viewer).toBlob((blob) => {
		if (!blob) return viewer.hint("The picture could not be made");
		const name = viewer.options.title.replace(/[^\w.-]+/g, "-").slice(0, 60) || "replay",
			link = h("a", { href: URL.createObjectURL(blob), download: `${name}-step-${viewer.store.state.shown}.png` });
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
	});
}

var TRICKLE = 0.2;
function activity(facts, object, from, to) {
	const lines = [];
	let reward = 0;
	for (let step = max(0, from); step < min(facts.replay.steps, to); step++) {
		if (!facts.replay.ready(step)) continue;
		const next = lineAt(facts, object, step),
			last = lines.at(-1),
			alike = last && last.to === step - 1 && last.action === next.action && last.failed === next.failed && last.direction === next.direction;
		if (alike && !last.notes.length && !next.notes.length && abs(next.reward - reward) <= TRICKLE * abs(reward)) {
			last.to = step;
			last.reward += next.reward;
		} else { lines.push(next); }
		reward = next.reward;
	}
	return lines;
}
function lineAt(facts, object, step) {
	const { replay } = facts;
	return {
		from: step,
		to: step,
		action: facts.actionText(object, step),
		direction: facts.direction(object, facts.actions[replay.at("action_id", object, step)], step),
		failed: replay.at("action_success", object, step) === 0,
		reward: replay.at("current_reward", object, step) || 0,
		notes: notesAt(facts, object, step)
	};
}
function notesAt(facts, object, step) {
	const { replay } = facts;
	if (step === 0 || !replay.ready(step - 1)) return [];
	const notes = [];
	for (const pair of replay.pairsOf(object)) {
		const change = replay.inventory.at(pair, step) - replay.inventory.at(pair, step - 1);
		if (change) notes.push(`${signed(change)} ${facts.itemName(replay.pairItems[pair])}`);
	}
	const changed = (name) => replay.at(name, object, step) !== replay.at(name, object, step - 1);
	if (changed("is_frozen")) notes.push(replay.at("is_frozen", object, step) ? "frozen" : "free again");
	if (changed("alive")) notes.push(replay.here(object, step) ? "alive" : "died");
	if (changed("vibe_id")) notes.push(`vibe ${facts.vibeName(replay.at("vibe_id", object, step))}`);
	return notes;
}
function describeLine(title, line2) {
	const parts = [`${title}, step ${count(line2.from)}`, line2.action + (line2.failed ? ", failed" : "")];
	return [...parts, ...line2.reward ? [`reward ${signed(line2.reward)}`] : [], ...line2.notes].join("\n");
}

var [BEFORE, AFTER] = [60, 30];
var [LINES_BEFORE, LINES_AFTER] = [8, 5];
var ELSEWHERE = /^(location|alive|inventory|action|animation|orientation|color|group_id|collective_id|layer|vibe|current_reward|total_reward|monologue|is_swappable)/;
var ObjectPanel = class extends Part {
	node = region("Selected object");
	update() {
		const { selected, shown } = this.state;
		if (selected < 0) {
			fill(this.node, note("Nothing is selected. Click an object on the map, a row of the table or a row of the actions."));
			return;
		}
		const agent = this.facts.isAgent[selected];
		fill(this.node, this.#title(selected, shown), agent ? this.#activity(selected, shown) : null, this.#facts(selected, shown), this.#inventory(selected, shown), this.#recipes(selected, shown));
	}
	#title(object, step) {
		const { facts } = this,
			flags = this.#fields("bool").filter((name) => this.replay.at(name, object, step)).map((name) => words(name).replace("is ", ""));
		if (!this.replay.here(object, step)) flags.unshift("removed");
		const dot = h("span.rv-dot", { style: `background:${facts.colour(object, step, this.palette)}` });
		return div("rv-object-title", dot, h("h3", {}, facts.title(object)), span("rv-muted", facts.teams.nameOf(facts.teams.of(object, step))), ...flags.map((flag) => span("rv-chip", flag)));
	}
	#fields(...kinds) {
		return [...this.replay.fields.values()].filter(({ name, kind, present }) => present && kinds.includes(kind) && !ELSEWHERE.test(name)).map(({ name }) => name);
	}
	#facts(object, step) {
		const { replay, facts } = this,
			{ x, y } = replay.locate(object, step);
		const rows = [["cell", `${x}, ${y}`]];
		if (facts.isAgent[object]) {
			const [now, last] = [replay.at("current_reward", object, step), replay.field("total_reward").last(object)];
			rows.push(["reward", `${signed(now)} now, ${number(replay.total(object, step))} so far, ${number(last)} at the end`]);
		}
		if (replay.field("vibe_id").present) rows.push(["vibe", facts.vibeName(replay.at("vibe_id", object, step))]);
		for (const name of this.#fields("int", "delta"))
			if (replay.at(name, object, step)) rows.push([words(name), number(replay.at(name, object, step))]);
		const tags = replay.tableList("tag_ids", object, step).map((tag) => replay.header.tags[tag] || `tag ${tag}`);
		if (tags.length) rows.push(["tags", tags.join(", ")]);
		return definitions([...rows, ["type, id", `${facts.sprite(object).name}, ${replay.ids[object]}`]]);
	}
	#inventory(object, step) {
		const { replay, facts } = this,
			{ item_names, capacity_names } = replay.header;
		const limits = new Map(replay.tableList("inventory_capacities", object, step).map((pair) => [capacity_names[pair?.[0]] ?? `capacity ${pair?.[0]}`, Number(pair?.[1])]));
		const rows = [];
		for (const pair of replay.pairsOf(object)) {
			const name = item_names[replay.pairItems[pair]] ?? "",
				[amount, limit] = [replay.inventory.at(pair, step), limits.get(name)];
			if (limits.delete(name) || amount) rows.push(inventoryRow(facts.itemName(replay.pairItems[pair]), amount, limit));
		}
		for (const [name, limit] of limits)
			rows.push(div("rv-inventory-row", `${words(name)} in all`, span(""), span("rv-number", `at most ${number(limit)}`)));
		if (rows.length === 0 && !facts.isAgent[object]) return null;
		return section("Inventory", ...rows.length ? rows : [note("Holds nothing at this step.")]);
	}
	#recipes(object, step) {
		const read = (name) => this.replay.tableList(name, object, step);
		const lines = read("protocols").map((protocol) => this.#protocolText(protocol ?? {}));
		const [inputs, outputs] = [read("input_resources"), read("output_resources")];
		if (inputs.length || outputs.length) lines.push(this.#protocolText({ inputs, outputs }));
		return lines.length ? section("Protocols", h("ul.rv-list", {}, ...lines.slice(0, 60).map((line2) => h("li", {}, line2)))) : null;
	}
	#protocolText({ inputs, outputs, cooldown, minAgents, vibes }) {
		const list2 = (value) => Array.isArray(value) ? value : [];
		const amounts = (pairs) => list2(pairs).map((pair) => `${number(Number(pair?.[1]))} ${this.facts.itemName(Number(pair?.[0]))}`).join(" + ") || "nothing";
		const parts = [`${amounts(inputs)} → ${amounts(outputs)}`];
		if (cooldown) parts.push(`cooldown ${number(Number(cooldown))}`);
		if (minAgents > 1) parts.push(`${number(Number(minAgents))} agents`);
		if (list2(vibes).length) parts.push(`vibe ${list2(vibes).map((vibe) => this.facts.vibeName(Number(vibe))).join(", ")}`);
		return parts.join(", ");
	}
	#activity(object, step) {
		const lines = activity(this.facts, object, step - BEFORE, step + AFTER),
			here = max(0, lines.findIndex((line2) => line2.to >= step));
		return section("What it did", div("rv-activity", ...lines.slice(max(0, here - LINES_BEFORE), here + LINES_AFTER + 1).map((line2) => this.#line(line2, step))));
	}
	#line({ from, to, action, failed, reward, notes }, step) {
		const now = from <= step && to >= step,
			many = to > from;
		const said = [failed ? "failed" : "", reward ? `reward ${signed(reward)}` : "", ...notes].filter(Boolean).join(", ");
		return activityLine(many ? `${count(from)}–${count(to)}` : count(from), many ? `${action} ×${to - from + 1}` : action, said, () => this.viewer.seek(from), `${now ? "rv-now" : to < step ? "rv-past" : ""} ${failed || reward < 0 ? "rv-lost" : reward > 0 ? "rv-won" : ""}`);
	}
};
function activityLine(when, what, more, press, cls = "") {
	return h("button", { type: "button", class: `rv-line ${cls}`, onclick: press }, span("rv-line-step", when), span("rv-line-action", what), span("rv-line-note", more));
}
function inventoryRow(name, amount, limit) {
	const part = min(100, 100 * amount / (limit || 1)),
		bar = limit === void 0 ? span("") : span("rv-bar", h("span.rv-bar-part", { style: `width:${part}%` }));
	return div("rv-inventory-row", span("", name), bar, span("rv-number", number(amount) + (limit === void 0 ? "" : ` / ${number(limit)}`)));
}

var SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3];
var SMOOTH_UP_TO = 45;
var LONGEST_PAUSE_MS = 250;
var Player = class {
	constructor(reel) {
		this.reel = reel;
		this.position = 0;
		this.last = -1;
	}
	seek(step) {
		this.position = step;
		this.last = -1;
	}
	tick(now, speed) {
		const { steps, ready, load } = this.reel,
			passed = this.last < 0 ? 0 : min(LONGEST_PAUSE_MS, max(0, now - this.last));
		this.last = now;
		const wanted = min(steps - 1, this.position + passed / 1e3 * speed);
		if (ready(floor(wanted))) this.position = wanted;
		const ahead = min(steps - 1, floor(wanted + max(64, speed * 2)));
		for (const step2 of [floor(wanted), ahead])
			if (!ready(step2)) load(step2);
		const step = floor(this.position);
		return { step, fraction: speed > SMOOTH_UP_TO || step >= steps - 1 ? 0 : this.position - step, ended: step >= steps - 1 };
	}
};
function clampSpeed(speed) { return Number.isFinite(speed) ? min(1e3, max(0.1, speed)) : 10; }

var LIMIT = 140;
var SmallMap = class extends Part {
	scale = LIMIT / max(this.replay.map.width, this.replay.map.height);
	width = max(8, round(this.replay.map.width * this.scale));
	height = max(8, round(this.replay.map.height * this.scale));
	canvas() {
		return h("canvas", { style: `width:${this.width}px;height:${this.height}px` });
	}
	draw(canvas, step) {
		const { replay, facts, palette: palette2, scale } = this,
			{ selected } = this.state,
			pen = prepare(canvas, this.width, this.height);
		pen.drawImage(this.viewer.map.still.picture, 0, 0, this.width, this.height);
		for (const object of replay.agents) {
			if (!replay.here(object, step)) continue;
			const { x, y } = replay.locate(object, step),
				side = max(2, scale) + (object === selected ? 2 : 0);
			rect(pen, object === selected ? palette2.text : facts.colour(object, step, palette2), (x + 0.5) * scale - side / 2, (y + 0.5) * scale - side / 2, side, side);
		}
		return pen;
	}
};
var Minimap = class extends Part {
	constructor(viewer) {
		super(viewer);
		const { small, map } = viewer;
		this.node = set(small.canvas(), { class: "rv-minimap", label: "Whole map; press to move there" });
		onDrag(this.node, (x, y) => {
			map.camera = { x: x / small.scale, y: y / small.scale, scale: map.camera.scale };
		});
	}
	draw() {
		const { map } = this.replay,
			{ small, map: view } = this.viewer,
			{ x0, y0, x1, y1 } = visibleCells(view.camera, map, view.size);
		this.node.hidden = x0 === 0 && y0 === 0 && x1 === map.width && y1 === map.height;
		if (this.node.hidden) return;
		const { scale } = small,
			pen = small.draw(this.node, this.state.shown);
		ink(pen, this.palette.accent, 1.5);
		pen.strokeRect(x0 * scale + 0.75, y0 * scale + 0.75, max(3, (x1 - x0) * scale - 1.5), max(3, (y1 - y0) * scale - 1.5));
	}
};

function initialState() {
	return {
		step: 0,
		shown: 0,
		fraction: 0,
		selected: -1,
		playing: false,
		speed: 10,
		camera: null,
		follow: false,
		layers: { trail: true, vision: false, fog: false, heat: false, grid: true },
		found: null,
		tab: "agents"
	};
}
var Store = class {
	state = initialState();
	listeners = new Set();
	set(patch) {
		const changed = Object.keys(patch).filter((key) => this.state[key] !== patch[key]);
		Object.assign(this.state, patch);
		if (changed.length > 0)
			for (const listener of this.listeners) listener(changed);
	}
};

var TALK_LINES = 40;
var LONGEST = 2e4;
var CONFIG_CHARS = 4e5;
var TextPanel = class extends Part {
	node = region("Talk and policy notes");
	update() {
		const { shown, selected } = this.state,
			part = this.viewer.texts.part(shown);
		if (part?.failed) {
			const again = () => {
				this.viewer.texts.retry();
				this.update();
			};
			fill(this.node, note(`${part.failed}.`), button("Try again", again));
		} else if (!part?.fields) { fill(this.node, note("Loading the texts of these steps")); } else {
			fill(this.node, selected < 0 ? note("Select an agent to read its policy notes.") : this.#agent(selected, shown), this.#talk(shown));
		}
	}
	#agent(object, step) {
		const read = (name) => this.viewer.texts.at(name, object, step),
			notes = read("policy_infos"),
			texts = { says: read("talk_text"), thinks: read("monologue_append"), ...notes && typeof notes === "object" ? notes : { note: notes } },
			rows = Object.entries(texts).filter(([, value]) => value !== null && value !== "").slice(0, 100),
			list2 = definitions(rows.map(([key, value]) => [words(key), (typeof value === "string" ? value : JSON.stringify(value, null, 1)).slice(0, LONGEST).trim()]));
		list2.classList.add("rv-notes");
		return section(this.facts.title(object), rows.length ? list2 : note("No text at this step."));
	}
	#talk(step) {
		const { viewer, facts } = this;
		const lines = viewer.texts.recentTalk(step, TALK_LINES).map(({ step: when, object, text: text2 }) => activityLine(count(when), facts.title(object), text2, () => {
			viewer.select(object);
			viewer.seek(when);
		}));
		return lines.length ? section("Talk so far", div("rv-activity", ...lines)) : null;
	}
};
var AboutPanel = class extends Part {
	node = region("About this replay");
	config = div("");
	update() {
		if (this.node.firstChild) return;
		const { header, types, config } = this.replay,
			used = new Map();
		for (const type of types) used.set(type, (used.get(type) ?? 0) + 1);
		const kinds = [...used].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([type, n]) => `${words(header.type_names[type] || "unknown")} ${count(n)}`);
		if (config) fill(this.config, button("Show the configuration", () => void this.#loadConfig()));
		fill(this.node, definitions([
			["format", `MettaScope replay, version ${header.version}`],
			["map", `${count(header.width)} x ${count(header.height)} cells`],
			["steps", count(header.steps)],
			["objects", `${count(header.objects)}: ${kinds.join(", ")}`],
			["items", header.item_names.filter(Boolean).slice(0, 100).map(words).join(", ") || "none"]
		]), this.#issues(), config ? section("Configuration", this.config) : null);
	}
	#issues() {
		const { issues, issues_more } = this.replay.header;
		const entries = issues.map(({ severity, path, rule, count: n, example }) => h("li", {}, h("strong", {}, `${severity}: `), `${path}: ${rule}${n > 1 ? ` (${count(n)} times)` : ""}`, div("rv-muted rv-code", String(example ?? ""))));
		return section("Issues in the file", entries.length ? h("ul.rv-list", {}, ...entries) : note("None found."), issues_more ? note(`and ${plural(issues_more, "more issue")}`) : null);
	}
	async #loadConfig() {
		fill(this.config, note("Loading the configuration"));
		try {
			const text2 = JSON.stringify(await this.replay.configValue(), null, 2);
			fill(this.config, h("pre.rv-code", {}, text2.length > CONFIG_CHARS ? `${text2.slice(0, CONFIG_CHARS)}…` : text2));
		} catch (error) {
			fill(this.config, note(`${reason(error)}.`), button("Try again", () => void this.#loadConfig()));
		}
	}
};

var Texts = class {
	constructor(replay, onload) {
		this.replay = replay;
		this.onload = onload;
		this.parts = replay.texts.map(({ from, to }) => ({ from, to, loading: false, failed: "", fields: null }));
	}
	part(step) {
		const part = this.parts.find(({ from, to }) => step >= from && step < to);
		if (part && !part.fields && !part.loading && !part.failed) void this.#load(part);
		return part;
	}
	retry() { for (const part of this.parts) part.failed = ""; }
	async #load(part) {
		part.loading = true;
		try {
			const { header, map, texts } = this.replay,
				index = this.parts.indexOf(part),
				columns = await this.replay.textColumns(index);
			part.fields = new Map(texts[index].fields.map((name) => {
				const objects = runningSum(columns.numbers(`${name}.i`), header.objects, name);
				const track = decodeTrack(columns, name, "int", objects.length, part.from, part.to, null, map);
				return [name, { objects, track, table: [columns.json(`${name}.table`)].flat() }];
			}));
		} catch (error) { part.failed = reason(error); }
		part.loading = false;
		this.onload();
	}
	at(name, object, step) {
		const field = this.part(step)?.fields?.get(name);
		return field?.table[field.track.at(field.objects.indexOf(object), step)] ?? null;
	}
	recentTalk(step, limit) {
		const part = this.part(step),
			field = part?.fields?.get("talk_text"),
			lines = [];
		field?.objects.forEach((object, mover) => field.track.runs(mover, part?.from ?? 0, step + 1, (start, _, value) => {
			if (field.table[value]) lines.push({ step: start, object, text: String(field.table[value]) });
		}));
		return lines.sort((a, b) => b.step - a.step).slice(0, limit);
	}
};

var GUTTER = 78;
var [RIGHT, RAIL, LANE, CAPTION, CHART, FOOT2] = [12, 20, 11, 16, 44, 16];
var LANES = ["gain", "freeze", "death", "talk"];
var TimelineView = class extends Part {
	width = 0;
	hover = -1;
	window = [0, 0];
	backdrop = null;
	agent = null;
	constructor(viewer, full) {
		super(viewer);
		this.full = full;
		this.reward = this.overview("reward");
		this.dust = -1e-6 * extent(this.reward).high;
		this.lanes = LANES.filter((kind) => full && this.overview(kind).some((value) => value > 0));
		this.top = RAIL + this.lanes.length * LANE + CAPTION;
		this.height = this.top + CHART + FOOT2;
		this.canvas = h("canvas.rv-timeline-canvas", {});
		this.preview = viewer.small.canvas();
		this.previewText = div("");
		this.tip = div("rv-tip rv-preview", this.preview, this.previewText);
		this.node = h("div.rv-timeline", {
			role: "slider",
			tabindex: 0,
			style: `height:${this.height}px`,
			label: "Step",
			"aria-valuemin": 0,
			"aria-valuemax": viewer.steps - 1,
			onpointerleave: () => this.#hideTip()
		}, this.canvas, this.tip);
		onDrag(this.node, (x) => {
			this.#hideTip();
			viewer.seek(stepAt(this.axis, x));
		}, (x) => this.#showTip(stepAt(this.axis, x), x));
	}
	overview(kind) { return this.replay.base.numbers(`overview.${KINDS[kind][1]}`); }
	get axis() {
		return { left: GUTTER, width: max(1, this.width - GUTTER - RIGHT), steps: this.viewer.steps };
	}
	stepsOf(kind) {
		const counts = this.overview(kind),
			happens = (n) => kind === "penalty" ? n < this.dust : n > -this.dust;
		return this.agent?.events[kind] ?? Array.from(counts.keys()).filter((bin) => happens(counts[bin])).map((bin) => binStart(bin, counts.length, this.replay.steps));
	}
	resize(width) {
		this.width = width;
		this.backdrop = null;
	}
	refresh() { this.backdrop = this.agent = null; }
	draw(step) {
		const pen = prepare(this.canvas, this.width, this.height);
		this.backdrop ??= this.#drawBackdrop();
		pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
		this.#drawHead(pen, step);
		set(this.node, { "aria-valuenow": step, "aria-valuetext": `step ${step} of ${this.viewer.steps - 1}` });
	}
	#drawBackdrop() {
		const { replay, axis } = this,
			{ muted } = this.palette,
			{ selected } = this.state,
			canvas = newCanvas(1),
			pen = prepare(canvas, this.width, this.height);
		if (this.full && this.facts.isAgent[selected])
			this.agent = { object: selected, events: agentEvents(replay, selected), rewards: rewardBins(replay, selected, this.reward.length || 1) };
		this.lanes.forEach((kind, row) => this.#drawLane(pen, kind, RAIL + row * LANE));
		this.#drawChart(pen);
		const y = this.height - 6;
		for (const step of ticks(axis)) {
			const x = xOf(axis, step);
			rect(pen, muted, round(x), y - 9, 1, 3);
			write(pen, count(step), x, y, muted, step === 0 ? "left" : x > this.width - 40 ? "right" : "center");
		}
		write(pen, "step", GUTTER - 8, y, muted);
		return canvas;
	}
	#drawLane(pen, kind, y) {
		const { axis, palette: palette2, agent } = this,
			colour = kind === "gain" ? palette2.gain : kind === "freeze" ? palette2.cold : kind === "death" ? palette2.bad : palette2.talk,
			counts = this.overview(kind),
			{ high } = extent(counts);
		write(pen, kind === "talk" ? kind : `${KINDS[kind][0]}s`, GUTTER - 8, y + LANE / 2 + 0.5, palette2.muted);
		counts.forEach((n, bin) => {
			pen.globalAlpha = (agent ? 0.3 : 1) * (0.4 + 0.6 * (n / high));
			if (n > 0) rect(pen, colour, xOf(axis, binStart(bin, counts.length, axis.steps)), y + 2, max(1, axis.width / counts.length), LANE - 4);
		});
		pen.globalAlpha = 1;
		for (const step of agent?.events[kind] ?? []) rect(pen, colour, round(xOf(axis, step)) - 1, y, 2, LANE - 1);
	}
	#lines() {
		const { palette: palette2, agent, replay } = this,
			line2 = (name, sums, share, colour) => ({ name, values: ratePerStep(sums, replay.steps, share), steps: replay.steps, colour });
		const mean = line2(`reward per step, mean of ${plural(replay.agents.length, "agent")}`, this.reward, replay.agents.length, palette2.muted);
		return agent ? [mean, line2(this.facts.title(agent.object), agent.rewards, 1, palette2.accent)] : [mean];
	}
	#drawChart(pen) {
		const { axis, palette: palette2, top } = this,
			lines = this.viewer.lines ?? this.#lines(),
			{ low, high } = extent(...lines.map(({ values }) => values)),
			bottom = top + CHART,
			y = (value) => bottom - (value - low) / (high - low) * CHART;
		let right = axis.left + axis.width;
		if (lines.every(({ values }) => values.every((value) => value === 0)))
			return write(pen, "no reward in this replay", right, top - 7, palette2.muted);
		write(pen, number(high), GUTTER - 8, top + 4, palette2.muted);
		write(pen, number(low), GUTTER - 8, bottom - 4, palette2.muted);
		rect(pen, palette2.hairline, axis.left, round(y(0)), axis.width, 1);
		for (const each of lines) {
			this.#stroke(pen, each, y);
			write(pen, each.name, right, top - 7, each.colour);
			right -= pen.measureText(each.name).width + 14;
		}
		for (const step of this.full ? this.stepsOf("penalty") : []) rect(pen, palette2.bad, round(xOf(axis, step)) - 1, bottom - 6, 2, 6);
	}
	#stroke(pen, { values, steps, colour, dash = [] }, y) {
		const { axis } = this;
		ink(pen, colour, colour === this.palette.muted ? 1 : 1.75);
		pen.lineJoin = "round";
		pen.setLineDash(dash);
		pen.beginPath();
		values.forEach((value, bin) => {
			const x = xOf(axis, binStart(bin, values.length, steps));
			if (bin > 0 && values.length < axis.width / 3) pen.lineTo(x, y(values[bin - 1]));
			pen.lineTo(x, y(value));
		});
		pen.lineTo(xOf(axis, steps - 1), y(values[values.length - 1]));
		pen.stroke();
		pen.setLineDash([]);
	}
	#drawHead(pen, step) {
		const { axis, palette: palette2, hover } = this,
			[y, x, tall] = [RAIL / 2 - 1, xOf(axis, step), this.height - RAIL - FOOT2 + 4],
			[from, to] = this.window;
		rect(pen, palette2.hairline, axis.left, y - 2, axis.width, 4);
		pen.globalAlpha = 0.55;
		if (to > from && to - from < axis.steps) rect(pen, palette2.muted, xOf(axis, from), y - 4, max(3, xOf(axis, to) - xOf(axis, from)), 8);
		pen.globalAlpha = 1;
		rect(pen, palette2.accent, axis.left, y - 2, x - axis.left, 4);
		if (hover >= 0) rect(pen, palette2.muted, round(xOf(axis, hover)), RAIL - 4, 1, tall);
		rect(pen, palette2.accent, round(x), RAIL - 4, 1.5, tall);
		disc(pen, palette2.accent, x, y, 6.5);
	}
	#hideTip() {
		this.hover = -1;
		this.tip.classList.remove("rv-shown");
		this.viewer.invalidate("timeline");
	}
	#showTip(step, x) {
		if (!this.full) return;
		this.hover = step;
		setText(this.previewText, this.#tipText(step));
		this.preview.hidden = !this.replay.ready(step);
		if (this.preview.hidden) void this.replay.load(step);
		else this.viewer.small.draw(this.preview, step);
		showTip(this.tip, true, x - this.tip.offsetWidth / 2, -this.tip.offsetHeight - 6, this.width);
		this.viewer.invalidate("timeline");
	}
	#tipText(step) {
		const { reward, agent } = this,
			bin = binOf(step, reward.length || 1, this.replay.steps),
			lines = this.lanes.filter((kind) => this.overview(kind)[bin]).map((kind) => plural(this.overview(kind)[bin], KINDS[kind][0]));
		if (reward[bin]) lines.push(`reward ${signed(reward[bin])}, all agents`);
		if (agent?.rewards[bin]) lines.push(`reward ${signed(agent.rewards[bin])}, ${this.facts.title(agent.object)}`);
		return [`step ${count(step)}`, ...lines].join("\n");
	}
};

var ROW2 = 18;
var WIDTHS = [1, 2, 4, 8, 15];
var GLYPHS_FROM = 12;
var RIGHT2 = 12;
var NO_DATA = -2;
var TraceView = class extends Part {
	width = 0;
	height = 0;
	start = 0;
	zoom = WIDTHS.length - 1;
	selected = -1;
	backdrop = null;
	constructor(viewer) {
		super(viewer);
		this.canvas = h("canvas.rv-trace-canvas", {
			onclick: (event) => this.#click(event),
			onpointermove: (event) => this.#hover(event),
			onpointerleave: () => this.#hover(null)
		});
		this.tip = div("rv-tip rv-preview");
		this.scroller = h("div.rv-trace-scroll", {
			tabindex: 0,
			role: "img",
			label: "What each agent did at each step; click to go there",
			onscroll: () => this.#renew()
		}, h("div", { style: `height:${this.replay.agents.length * ROW2}px` }, this.canvas));
		this.legend = div("rv-legend");
		this.node = h("section.rv-trace", { label: "Actions by agent", hidden: this.replay.agents.length === 0 }, div("rv-trace-head", span("rv-heading", "Actions"), this.legend, span("rv-grow"), iconButton("minus", "Show more steps", () => this.#widen(-1)), iconButton("plus", "Show fewer steps", () => this.#widen(1))), this.scroller, this.tip);
		this.restyle();
	}
	get cell() { return WIDTHS[this.zoom]; }
	get columns() { return max(1, floor((this.width - GUTTER - RIGHT2) / this.cell)); }
	get window() {
		return [this.start, min(this.replay.steps, this.start + this.columns)];
	}
	resize(width, rows) {
		this.width = width;
		this.height = ROW2 * within(this.replay.agents.length, 1, rows);
		this.scroller.style.height = `${this.height}px`;
		this.backdrop = null;
	}
	restyle() {
		const { palette: palette2 } = this,
			used = new Set(this.facts.actions.map((action) => action.family)),
			entry = (style, text2) => span("rv-legend-entry", h("span.rv-swatch", { style }), text2),
			families = Object.keys(FAMILIES).filter((family) => used.has(family));
		fill(this.legend, ...families.map((family) => entry(`background:${this.#colour(family)}`, FAMILIES[family][1])), entry(`border:1.5px solid ${palette2.bad}`, "failed"), entry(`background:${palette2.gain};height:5px`, "item gain"), entry(`background:${palette2.good};height:3px`, "reward"));
		this.backdrop = null;
	}
	#colour(family) {
		const [hue] = FAMILIES[family];
		return hue < 0 ? this.palette.hairline : series(this.palette, hue);
	}
	#renew(start = this.start) {
		this.start = within(round(start), 0, max(0, this.replay.steps - this.columns));
		this.backdrop = null;
		this.viewer.invalidate("trace", "timeline");
	}
	#widen(by) {
		this.zoom = within(this.zoom + by, 0, WIDTHS.length - 1);
		this.#renew(this.state.shown - this.columns / 3);
	}
	draw() {
		const { shown, selected } = this.state,
			[from, to] = this.window;
		if (shown < from || shown >= to) this.#renew(shown - this.columns / 3);
		if (selected !== this.selected) this.#reveal(selected);
		const pen = prepare(this.canvas, this.width, this.height);
		this.backdrop ??= this.#drawBackdrop();
		pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
		ink(pen, this.palette.accent, 1.5);
		pen.strokeRect(GUTTER + (shown - this.start) * this.cell - 0.75, 0.75, this.cell + 0.5, this.height - 1.5);
	}
	#reveal(selected) {
		this.selected = selected;
		this.backdrop = null;
		const top = this.replay.agents.indexOf(selected) * ROW2,
			{ scrollTop } = this.scroller;
		if (top >= 0 && (top < scrollTop || top + ROW2 > scrollTop + this.height)) this.scroller.scrollTop = top - this.height / 2;
	}
	#drawBackdrop() {
		const canvas = newCanvas(1),
			pen = prepare(canvas, this.width, this.height);
		this.replay.agents.forEach((object, row) => {
			const y = row * ROW2 - this.scroller.scrollTop;
			if (y > -ROW2 && y < this.height) this.#drawRow(pen, object, y);
		});
		return canvas;
	}
	#drawRow(pen, object, y) {
		const { palette: palette2, facts, cell } = this,
			chosen = this.state.selected === object;
		if (chosen) rect(pen, palette2.raised, 0, y, this.width, ROW2);
		if (chosen) rect(pen, palette2.accent, 0, y, 3, ROW2);
		disc(pen, facts.colour(object, this.state.shown, palette2), GUTTER - 13, y + ROW2 / 2, 3.5);
		write(pen, facts.title(object), GUTTER - 22, y + ROW2 / 2 + 0.5, chosen ? palette2.text : palette2.muted, "right", chosen ? "600 12" : "12");
		const [from, to] = this.window;
		const read = (name, absent = 0) => {
			const values = new Float32Array(to - from).fill(absent);
			this.replay.field(name).runs(object, from, to, (start, end, value) => values.fill(value, start - from, end - from));
			return values;
		};
		const [success, rewards, frozen, alive] = ["action_success", "current_reward", "is_frozen", "alive"].map((name) => read(name)),
			gains = cell >= 4 ? this.#gains(object, from, to) : [],
			width = cell - (cell >= 4 ? 1 : 0);
		read("action_id", NO_DATA).forEach((id, column) => {
			const x = GUTTER + column * cell;
			if (id === NO_DATA || !alive[column]) return rect(pen, palette2.hairline, x, y + ROW2 / 2, width, 1);
			const action = facts.actions[id],
				family = action?.family ?? "wait",
				failed = !success[column] && family !== "wait";
			if (cell >= GLYPHS_FROM) this.#drawCell(pen, family, facts.direction(object, action, from + column), failed, x, y + 1, width);
			else rect(pen, failed ? palette2.bad : this.#colour(family), x, y + (failed ? 8 : 3), width, failed ? 4 : ROW2 - 7);
			if (frozen[column]) rect(pen, palette2.cold, x, y + 1, width, 2);
			if (gains[column]) rect(pen, palette2.gain, x + max(0, width - 5), y + 1, min(5, width), 5);
			if (rewards[column]) rect(pen, rewards[column] > 0 ? palette2.good : palette2.bad, x, y + ROW2 - 3, width, 3);
		});
	}
	#gains(object, from, to) {
		const { inventory } = this.replay,
			gains = [];
		for (const pair of this.replay.pairsOf(object)) {
			let last = from > 0 ? inventory.at(pair, from - 1) : NaN;
			inventory.runs(pair, from, to, (start, _, value) => {
				if (value > last) gains[start - from] = true;
				last = value;
			});
		}
		return gains;
	}
	#drawCell(pen, family, direction, failed, x, y, width) {
		const { palette: palette2 } = this,
			colour = this.#colour(family),
			quiet = /move|turn|wait/.test(family);
		pen.beginPath();
		pen.roundRect(x + 0.75, y + 0.75, width - 1.5, ROW2 - 3.5, 2.5);
		ink(pen, failed ? palette2.bad : family === "wait" ? palette2.muted : quiet ? colour : palette2.onMark, 1);
		pen.fillStyle = colour;
		pen.globalAlpha = family === "wait" ? 0.5 : quiet ? 0.2 : 1;
		if (!failed) pen.fill();
		pen.globalAlpha = 1;
		if (failed) pen.stroke();
		drawGlyph(pen, family, direction, x + width / 2 - 6, y + 1.5, 12);
	}
	#cellAt(event) {
		const { x, y } = localPoint(this.canvas, event),
			step = this.start + floor((x - GUTTER) / this.cell);
		return { object: this.replay.agents[floor((y + this.scroller.scrollTop) / ROW2)], step: x < GUTTER || step >= this.window[1] ? -1 : step, x, y };
	}
	#click(event) {
		const { object = -1, step } = this.#cellAt(event);
		this.viewer.select(object);
		if (step >= 0) this.viewer.seek(step);
	}
	#hover(event) {
		const { object, step = -1, x = 0, y = 0 } = event ? this.#cellAt(event) : {};
		const over = object !== void 0 && step >= 0;
		if (over) setText(this.tip, describeLine(this.facts.title(object), lineAt(this.facts, object, step)));
		showTip(this.tip, over, x + 12, y + this.scroller.offsetTop - this.tip.offsetHeight - 10, this.width);
	}
};

var Transport = class {
	constructor(target, kinds) {
		const { steps } = target;
		this.playing = false;
		this.speed = NaN;
		this.play = iconButton("play", "Play (Space)", () => target.toggle());
		this.play.classList.add("rv-button-main");
		this.input = h("input.rv-step-input", {
			type: "text",
			inputmode: "numeric",
			label: "Step",
			style: `width:${max(4, count(steps - 1).length + 1)}ch`,
			onchange: () => target.seek(Number(this.input.value.replace(/[\s,.']/g, "")) || 0),
			onfocus: () => this.input.select()
		});
		this.speeds = h("select.rv-select", { label: "Speed in steps a second", onchange: () => target.store.set({ speed: Number(this.speeds.value) }) });
		this.kind = h("select.rv-select", { label: "Event to jump to" }, ...kinds.map((kind) => h("option", { value: kind }, KINDS[kind][0])));
		const jumps = div("rv-group", iconButton("earlier", "Previous event (,)", () => target.jump(-1)), this.kind, iconButton("later", "Next event (.)", () => target.jump(1)));
		jumps.hidden = kinds.length === 0;
		this.node = h("div.rv-transport", { role: "toolbar", label: "Playback" }, div("rv-group", iconButton("first", "First step (Home)", () => target.seek(0)), iconButton("back", "One step back ([)", () => target.move(-1)), this.play, iconButton("forward", "One step on (])", () => target.move(1)), iconButton("last", "Last step (End)", () => target.seek(steps - 1))), h("label.rv-step", {}, "step", this.input, span("rv-muted", `of ${count(steps - 1)}`)), h("label.rv-step", {}, this.speeds, span("rv-muted", "steps/s")), jumps);
	}
	update(step, playing, speed) {
		if (!this.input.matches(":focus") || playing) this.input.value = count(step);
		if (playing !== this.playing) {
			const label = playing ? "Pause (Space)" : "Play (Space)";
			fill(set(this.play, { label, title: label }), icon(playing ? "pause" : "play"));
		}
		if (speed !== this.speed) {
			fill(this.speeds, ...[...new Set([...SPEEDS, speed])].sort((a, b) => a - b).map((value) => h("option", { value }, String(Number(value.toPrecision(4))))));
			this.speeds.value = String(speed);
		}
		this.playing = playing;
		this.speed = speed;
	}
};
function kindsIn({ base, fields }) {
	const kinds = Object.keys(KINDS),
		earns = Boolean(fields.get("current_reward")?.movers.length);
	return kinds.filter((kind) => kind !== "talk" && (/reward|penalty/.test(kind) ? earns : base.numbers(`overview.${KINDS[kind][1]}`).some((value) => value > 0)));
}

var PANEL_MS = 110;
var HINT_MS = 2600;
var TRACE_ROWS = 6;
var FIND = "Find type, item, agent";
var MAP_ONLY = /fraction|camera|follow|layers/;
var Viewer = class {
	frame = 0;
	panelAt = 0;
	hintTimer = 0;
	stepNow = 0;
	started = false;
	stopped = false;
	dirty = new Set();
	sprites = new SpriteCache();
	store = new Store();
	found = h("span.rv-found.rv-muted", { role: "status" });
	tabs = h("div.rv-tabs", { role: "tablist", label: "Panels" });
	panel = h("div.rv-panel", { role: "tabpanel" });
	constructor(replay, options, all = [replay]) {
		this.replay = replay;
		this.options = options;
		this.theme = options.theme;
		this.steps = max(...all.map(({ steps }) => steps));
		this.facts = new Facts(replay, all);
		this.player = new Player({
			steps: this.steps,
			ready: (step) => all.every((each) => each.ready(each.clampStep(step))),
			load: (step) => all.forEach((each) => void each.load(each.clampStep(step)))
		});
		this.sides = [this];
		this.texts = new Texts(replay, () => this.invalidate("panel"));
		this.small = new SmallMap(this);
		this.map = new MapView(this);
		this.minimap = new Minimap(this);
		this.timeline = new TimelineView(this, all.length === 1);
		this.transport = new Transport(this, all.length === 1 ? kindsIn(replay) : []);
		this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
		this.map.node.append(this.minimap.node, h("div.rv-map-buttons", { role: "toolbar", label: "Map view" }, iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)), iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton));
		this.store.listeners.add((changed) => this.changed(changed));
		replay.onload = () => this.loaded();
		this.observer = new ResizeObserver(() => this.resized());
		this.observer.observe(this.map.node);
		this.observer.observe(this.timeline.node);
	}
	get palette() { return palettes[this.theme]; }
	get lines() { return null; }
	mount() {
		const { options } = this,
			{ header } = this.replay;
		this.trace = new TraceView(this);
		this.panels = { agents: new AgentTable(this), selected: new ObjectPanel(this), text: new TextPanel(this), about: new AboutPanel(this) };
		const box = h("input.rv-search", {
			type: "search",
			placeholder: FIND,
			label: FIND,
			autocomplete: "off",
			oninput: () => this.store.set({ found: search(this.facts, box.value) }),
			onkeydown: (event) => this.#searchKey(event, box)
		});
		const facts = `${plural(header.agents, "agent")}, ${plural(header.steps, "step")}, ${header.width} x ${header.height}`;
		this.#drawTabs();
		return this.frameOf(`Replay viewer: ${options.title}`, h("header.rv-head", {}, h("h2.rv-title", { title: options.title }, options.title), span("rv-muted rv-facts-line", facts), span("rv-grow"), this.found, h("label.rv-search-wrap", {}, icon("search"), box), layerMenu(this), shareMenu(this)), div("rv-body", div("rv-main", this.map.node, this.transport.node, this.timeline.node, this.trace.node), h("aside.rv-side", {}, this.tabs, this.panel)));
	}
	frameOf(label, ...content) {
		const node = h("div.rv-root", {
			tabindex: 0,
			role: "application",
			label,
			"data-theme": this.theme,
			style: `--rv-height:${this.options.height}px`,
			onkeydown: (event) => handleKey(event, this),
			onclick: (event) => { if (event.detail > 0 && event.target.closest("button")) this.focus(); }
		}, ...content);
		this.node = node;
		return node;
	}
	focus() { this.node?.focus({ preventScroll: true }); }
	#drawTabs() {
		const { tab } = this.store.state,
			issues = this.replay.header.issues.length,
			names = { agents: "Agents", selected: "Selected", text: "Talk and notes", about: issues ? `About (${plural(issues, "issue")})` : "About" },
			keys = Object.keys(names).filter((key) => key !== "text" || this.texts.parts.length > 0);
		fill(this.tabs, ...keys.map((key) => button(names[key], () => this.store.set({ tab: key }), "rv-tab", { role: "tab", "aria-selected": String(key === tab) })));
		fill(this.panel, this.panels?.[tab].node ?? null);
	}
	seek(step) {
		this.stepNow = within(round(step) || 0, 0, this.steps - 1);
		this.player.seek(this.stepNow);
		for (const { replay, store } of this.sides) {
			const goal = replay.clampStep(this.stepNow);
			store.set(replay.ready(goal) ? { step: goal, shown: goal, fraction: 0 } : { step: goal });
			void replay.load(goal);
		}
		this.invalidate("timeline", "panel");
	}
	move(by) { this.seek(this.stepNow + by); }
	toggle() {
		const { playing } = this.store.state;
		if (!playing && this.stepNow >= this.steps - 1) this.seek(0);
		this.store.set({ playing: !playing });
	}
	scaleSpeed(factor) {
		this.store.set({ speed: clampSpeed(this.store.state.speed * factor) });
	}
	find() { this.node?.querySelector("input")?.focus(); }
	select(object) {
		const { follow, tab } = this.store.state;
		this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || tab === "text" ? tab : "selected" });
	}
	selectNext(by) {
		const { agents } = this.replay,
			at = agents.indexOf(this.store.state.selected);
		this.select(agents[(at < 0 && by < 0 ? agents.length - 1 : at + by + agents.length) % agents.length] ?? -1);
	}
	follow(object) {
		const { camera } = this.map;
		this.select(object);
		this.store.set({ follow: true, camera: { ...camera, scale: max(26, camera.scale) } });
	}
	toggleFollow() {
		const { follow, selected } = this.store.state;
		if (follow) this.map.camera = this.map.camera;
		else if (selected >= 0) this.follow(selected);
		else this.hint("Select something to follow first");
	}
	fit() {
		for (const { store } of this.sides) store.set({ camera: null, follow: false });
	}
	jump(way) {
		const kind = this.transport.kind.value,
			found = kind ? nextStep(this.timeline.stepsOf(kind), this.stepNow, way) : -1;
		if (found >= 0) this.seek(found);
		else this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind`);
	}
	#searchKey(event, box) {
		const { found, shown, selected, camera } = this.store.state;
		if (event.key === "Escape") {
			box.value = "";
			this.store.set({ found: null });
			this.focus();
		}
		if (event.key !== "Enter" || !found) return;
		const hits = matching(this.facts, found, shown),
			next = hits[(hits.indexOf(selected) + (event.shiftKey ? hits.length - 1 : 1)) % hits.length];
		if (next === void 0) return;
		this.select(next);
		const { x, y } = this.map.place(next);
		if (camera) this.map.camera = { ...camera, x: x + 0.5, y: y + 0.5 };
	}
	hint(text2) {
		clearTimeout(this.hintTimer);
		this.map.hint = text2;
		this.hintTimer = text2 ? window.setTimeout(() => this.hint(""), HINT_MS) : 0;
		this.invalidate("map");
	}
	setTheme(theme) {
		this.theme = theme;
		if (this.node) this.node.dataset.theme = theme;
		this.sprites.drawn.clear();
		this.map.still.refresh();
		this.trace?.restyle();
		this.loaded();
	}
	async setSprites(bytes) {
		for (const side of this.sides) {
			await side.sprites.readImages(bytes).catch(() => {});
			side.map.still.refresh();
			side.invalidate("map");
		}
	}
	changed(changed) {
		const { state } = this.store;
		if (changed.includes("playing")) this.player.seek(this.stepNow);
		if (changed.includes("selected")) this.timeline.refresh();
		if (changed.includes("tab")) this.#drawTabs();
		set(this.followButton, { "aria-pressed": String(state.follow) });
		this.invalidate("map");
		if (changed.some((key) => !MAP_ONLY.test(key))) this.invalidate("timeline", "trace", "panel");
	}
	loaded() {
		const { step } = this.store.state;
		if (this.replay.ready(step)) this.store.set({ shown: step });
		this.timeline.refresh();
		if (this.trace) this.trace.backdrop = null;
		this.panels?.agents.refresh();
		this.invalidate("map", "timeline", "trace", "panel");
	}
	resized() {
		const { clientWidth, clientHeight } = this.map.node;
		if (clientWidth === 0) return;
		this.map.resize(clientWidth, clientHeight);
		this.timeline.resize(this.timeline.node.clientWidth);
		this.trace?.resize(this.timeline.width, TRACE_ROWS);
		this.map.draw();
		this.started = true;
		this.invalidate("map", "timeline", "trace", "panel");
	}
	invalidate(...pieces) {
		for (const piece of pieces) this.dirty.add(piece);
		if (this.started && !this.frame && !this.stopped) this.frame = requestAnimationFrame((now) => this.#tick(now));
	}
	#tick(now) {
		const { dirty, store } = this;
		this.frame = 0;
		if (store.state.playing) this.#play(now);
		if (dirty.delete("map")) {
			this.map.draw();
			this.minimap.draw();
		}
		if (dirty.delete("trace")) this.trace?.draw();
		if (dirty.delete("timeline") && this.timeline.width > 0) {
			this.timeline.window = this.trace?.window ?? [0, 0];
			this.timeline.draw(this.stepNow);
			this.transport.update(this.stepNow, store.state.playing, store.state.speed);
		}
		if (dirty.has("panel") && now - this.panelAt > PANEL_MS) {
			dirty.delete("panel");
			this.panelAt = now;
			this.drawPanel();
		}
		if (store.state.playing || dirty.size > 0) this.invalidate();
	}
	#play(now) {
		const { step, fraction, ended } = this.player.tick(now, this.store.state.speed),
			still = matchMedia("(prefers-reduced-motion: reduce)").matches;
		this.stepNow = step;
		for (const { store, replay } of this.sides) {
			const shown = replay.clampStep(step);
			store.set({ step: shown, shown, fraction: still || shown < step ? 0 : fraction });
		}
		if (ended) this.store.set({ playing: false });
	}
	drawPanel() {
		const { tab, found, shown } = this.store.state;
		this.panels?.[tab].update();
		const hits = found ? matching(this.facts, found, shown).length : 0;
		setText(this.found, hits ? `${count(hits)} found` : found ? "none found" : "");
	}
	stop() {
		this.stopped = true;
		cancelAnimationFrame(this.frame);
		clearTimeout(this.hintTimer);
		this.observer.disconnect();
		this.store.listeners.clear();
		this.replay.onload = () => {};
	}
};

var Compare = class extends Viewer {
	constructor(replays, titles, options) {
		super(replays[0], options, replays);
		this.titles = titles;
		this.right = new Viewer(replays[1], options, replays.toReversed());
		this.sides = [this, this.right];
		const loaded = this.right.replay.onload;
		this.right.replay.onload = () => {
			loaded();
			this.invalidate("panel");
		};
	}
	mount() {
		this.differences = region("Differences");
		const halves = this.sides.map((side, i) => h("section.rv-half", { label: this.titles[i] }, h("h3.rv-title", {}, this.titles[i]), side.map.node));
		return this.frameOf("Two replays compared", div("rv-body", div("rv-main", div("rv-halves", ...halves), this.transport.node, this.timeline.node), h("aside.rv-side", {}, this.differences)));
	}
	get lines() {
		return this.sides.map(({ replay }, i) => ({
			name: i ? this.titles[1] : `reward so far, mean of the agents: ${this.titles[0]}`,
			steps: replay.steps,
			colour: series(this.palette, i),
			dash: i ? [6, 3] : [],
			values: runningTotal(replay.base.numbers("overview.reward"), replay.agents.length)
		}));
	}
	changed(changed) {
		super.changed(changed);
		const { selected } = this.store.state;
		if (!changed.includes("selected")) return;
		const number2 = this.facts.isAgent[selected] ? this.replay.agentIds[selected] : -1,
			{ agents, agentIds } = this.right.replay;
		this.right.select(agents.find((object) => agentIds[object] === number2) ?? -1);
	}
	jump() {}
	toggleFollow() {
		super.toggleFollow();
		this.right.toggleFollow();
	}
	setTheme(theme) {
		super.setTheme(theme);
		this.right.setTheme(theme);
	}
	drawPanel() {
		const [a, b] = this.sides.map((side) => sumsAt(side, this.stepNow)),
			cells = (texts, cls = "") => texts.map((text2, i) => h("td", { class: i > 1 ? cls : "" }, text2));
		const rows = [...new Set([...a.keys(), ...b.keys()])].map((name) => {
			const [x, y] = [a.get(name) ?? 0, b.get(name) ?? 0];
			return h("tr", {}, h("th", { scope: "row" }, name), ...cells([number(x), number(y), signed(y - x)], y > x ? "rv-good" : y < x ? "rv-bad" : "rv-muted"));
		});
		const head = h("tr.rv-muted", {}, h("td"), ...cells(["left", "right", "right − left"]));
		if (this.differences)
			fill(this.differences, section("At this step, over all agents", h("table.rv-table.rv-differences", {}, h("tbody", {}, head, ...rows))));
	}
	stop() {
		super.stop();
		this.right.stop();
	}
};
function sumsAt({ replay, facts }, step) {
	const at = replay.clampStep(step),
		agents = [...replay.agents],
		total = agents.reduce((sum, object) => sum + replay.total(object, at), 0),
		sums = new Map([["reward so far", total], ["reward per agent", total / max(1, agents.length)], ["agents alive", agents.filter((object) => replay.here(object, at)).length]]);
	replay.pairItems.forEach((item, pair) => {
		const name = facts.itemName(item);
		if (facts.isAgent[replay.pairObjects[pair]]) sums.set(name, (sums.get(name) ?? 0) + replay.inventory.at(pair, at));
	});
	return sums;
}

var PATIENCE_MS = 3e3;
var ABSENT = "this part is not embedded in this page, and no Python answers for it";
var Messages = class {
	constructor(model) {
		this.model = model;
		this.prefix = Math.random().toString(36).slice(2, 12);
		this.waiting = new Map();
		this.asked = 0;
		this.receive = (message, buffers) => {
			if (message?.type !== "chunk") return;
			const bytes = message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null;
			this.waiting.get(message.request)?.(bytes, String(message.error || "Python sent no data for this part"));
		};
		model.on("msg:custom", this.receive);
	}
	asker(source) {
		return (hash2, id) => new Promise((resolve, reject) => {
			const request = `${this.prefix}.${++this.asked}`;
			const timer = setTimeout(() => this.waiting.get(request)?.(null, ABSENT), PATIENCE_MS);
			this.waiting.set(request, (bytes, problem) => {
				this.waiting.delete(request);
				clearTimeout(timer);
				if (bytes) resolve(bytes);
				else reject(new WireError(problem));
			});
			this.model.send({ type: "chunk", request, source, hash: hash2, id });
		});
	}
	stop() {
		this.model.off("msg:custom", this.receive);
		for (const settle of this.waiting.values()) settle(null, ABSENT);
	}
};

var PLAY_MS = 200;
var SETTLE_MS = 60;
var NAMES2 = ["step", "selected", "playing", "speed", "view"];
var TOLD = ["step", "selected", "playing", "speed", "camera", "follow"];
function traitsOf({ store, replay, map, stepNow }) {
	const { selected, playing, speed, camera, follow } = store.state;
	return { step: stepNow, selected: selected >= 0 ? replay.ids[selected] : null, playing, speed, view: viewText(follow ? map.camera : camera, follow) };
}
function syncTraits(model, shown) {
	let timer = 0;
	const write2 = () => {
		clearTimeout(timer);
		timer = 0;
		const now = traitsOf(shown),
			changed = NAMES2.filter((name) => model.get(name) !== now[name]);
		for (const name of changed) model.set(name, now[name]);
		if (changed.length > 0) model.save_changes();
	};
	const { store } = shown;
	const tell = (changed) => {
		if (changed.includes("playing") && !store.state.playing) write2();
		else if (!timer && changed.some((key) => TOLD.includes(key))) timer = window.setTimeout(write2, store.state.playing ? PLAY_MS : SETTLE_MS);
	};
	const read = () => readTraits(model, shown);
	read();
	store.listeners.add(tell);
	for (const name of NAMES2) model.on(`change:${name}`, read);
	return () => {
		clearTimeout(timer);
		store.listeners.delete(tell);
		for (const name of NAMES2) model.off(`change:${name}`, read);
	};
}
function readTraits(model, shown) {
	const { store, replay } = shown,
		now = traitsOf(shown),
		[selected, view] = [model.get("selected"), model.get("view")];
	if (selected !== now.selected) shown.select(replay.indexOfId(selected ?? -1));
	if (view !== now.view) store.set(readView(view));
	store.set({ speed: clampSpeed(Number(model.get("speed"))) });
	const step = min(shown.steps - 1, max(0, Number(model.get("step")) || 0));
	if (step !== now.step && !(now.playing && abs(step - now.step) < now.speed)) shown.seek(step);
	store.set({ playing: model.get("playing") === true });
}

function marked() { return [document.body, document.documentElement].filter(Boolean); }
function pageTheme(asked) {
	if (asked === "light" || asked === "dark") return asked;
	for (const { classList, dataset, style } of marked()) {
		const said = [dataset.theme, style.colorScheme, ...classList];
		if (said.includes("dark") || dataset.jpThemeLight === "false") return "dark";
		if (said.includes("light")) return "light";
	}
	return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
function watchTheme(changed) {
	const observer = new MutationObserver(changed);
	for (const node of marked()) observer.observe(node, { attributes: true });
	const media = matchMedia("(prefers-color-scheme: dark)");
	media.addEventListener("change", changed);
	return () => {
		observer.disconnect();
		media.removeEventListener("change", changed);
	};
}

var Mount = class {
	generation = 0;
	shown = null;
	stopSync = () => {};
	constructor(model, el) {
		this.model = model;
		this.el = el;
		this.messages = new Messages(model);
		const retheme = () => {
			if (this.shown && this.shown.theme !== this.theme) this.shown.setTheme(this.theme);
		};
		const reload = () => void this.load();
		this.stopTheme = watchTheme(retheme);
		this.handlers = [["change:data", reload], ["change:data_b", reload], ["change:message", reload], ["change:theme", retheme]];
		for (const [event, act] of this.handlers) model.on(event, act);
		reload();
	}
	get theme() { return pageTheme(this.model.get("theme")); }
	async load() {
		const { model } = this,
			generation = ++this.generation;
		try {
			const parts = [model.get("data"), ...model.get("kind") === "compare" ? [model.get("data_b")] : []].map(asBytes);
			if (parts.some((bytes) => bytes.length === 0)) {
				this.#say(model.get("message") || "No replay to show.");
				return;
			}
			const replays = await Promise.all(parts.map((bytes, i) => Replay.open(bytes, this.messages.asker(i ? "b" : "a"))));
			if (generation === this.generation) this.#show(replays);
		} catch (error) {
			if (generation === this.generation) this.#say(`This replay cannot be shown: ${reason(error)}.`);
		}
	}
	#show(replays) {
		const { model } = this,
			titles = replays.map((replay, i) => String(model.get("labels")?.[i] || replay.header.label || "Replay")),
			options = { title: titles[0], url: String(model.get("url") ?? ""), theme: this.theme, height: max(420, Number(model.get("height")) || 640) };
		this.#clear();
		this.shown = replays.length > 1 ? new Compare(replays, titles, options) : new Viewer(replays[0], options);
		const node = this.shown.mount();
		this.stopSync = syncTraits(model, this.shown);
		fill(this.el, node);
		this.shown.resized();
		const sprites = asBytes(model.get("sprites"));
		if (sprites.length > 0) void this.shown.setSprites(sprites);
		for (const replay of replays) void replay.loadAhead();
	}
	#say(text2) {
		this.#clear();
		fill(this.el, h("div.rv-root.rv-alone", { "data-theme": this.theme, role: "status" }, note(text2)));
	}
	#clear() {
		this.stopSync();
		this.shown?.stop();
		this.shown = null;
		this.stopSync = () => {};
	}
	stop() {
		const { model } = this;
		this.generation++;
		this.#clear();
		this.stopTheme();
		this.messages.stop();
		for (const [event, act] of this.handlers) model.off(event, act);
		fill(this.el);
	}
};
function render({ model, el }) {
	const mount = new Mount(model, el);
	return () => mount.stop();
}
var widget_default = { render };
export { widget_default as default };
