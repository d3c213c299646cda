function make(selector, props = {}, ...children) {
	const [tag, ...classes] = selector.split(".");
	const node = fill(set(document.createElement(tag), props), ...children);
	node.classList.add(...classes);
	return node;
}
function set(node, props) {
	for (const [name, value] of Object.entries(props)) {
		const key = name === "label" ? "aria-label" : name;
		if (typeof value === "function")
			node.addEventListener(key.slice(2), value);
		else if (typeof value === "boolean")
			node.toggleAttribute(key, value);
		else
			node.setAttribute(key, String(value));
	}
	return node;
}
function fill(node, ...children) {
	node.replaceChildren(...children.filter((child) => child !== null));
	return node;
}
function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

var { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;
function within(value, low, high) {
	return min(high, max(low, value));
}
function lowerBound(sorted, value, low = 0, high = sorted.length) {
	let [from, to] = [low, high];
	while (from < to) {
		const middle = from + to >>> 1;
		if (sorted[middle] < value)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

function h(selector, ...rest) {
	return make(selector.replaceAll(".", ".rv-"), ...rest);
}
function div(classes, ...children) {
	return h(`div.${classes}`, {}, ...children);
}
function span(classes, ...children) {
	return h(`span.${classes}`, {}, ...children);
}
function choice(label, options, chosen) {
	const node = h("select.select", { label, onchange: () => chosen(node.value) }, ...options.map(([value, text]) => h("option", { value }, text)));
	return node;
}
function legendEntry(style, text) {
	return span("legend-entry", h("span.swatch", { style }), text);
}
function region(label, ...children) {
	return h("div.scroll.pad", { tabindex: 0, role: "region", label }, ...children);
}
function section(title, ...children) {
	return h("section", {}, h("h4", {}, title), ...children);
}
function failure(problem, again) {
	return [note(`${problem}.`), button("Try again", again)];
}
function note(text) {
	return h("p.empty", {}, text);
}
function definitions(rows, name = "facts") {
	return h(`dl.${name}`, {}, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}
function button(label, onclick, classes = "action", more = {}) {
	return h(`button.${classes}`, { type: "button", onclick, ...more }, label);
}
function icon(name) {
	return span(`icon.icon-${name}`);
}
function iconButton(name, label, press) {
	return button(icon(name), press, "button", { label, title: label });
}
function onDrag(node, drag, hover) {
	const move = ({ buttons, offsetX, offsetY }) => (buttons & 1 ? drag : hover)?.(offsetX, offsetY);
	const press = (event) => {
		if (event.button === 0)
			node.setPointerCapture(event.pointerId);
		move(event);
	};
	set(node, { onpointerdown: press, onpointermove: move });
}
function showTip(tip, shown, left, top, room) {
	tip.classList.toggle("rv-shown", shown);
	if (shown)
		tip.style.transform = `translate(${within(left, 4, room - tip.offsetWidth - 4)}px, ${top}px)`;
}

var MISSING = "–";
var ROUNDS_UP = 1 - 5e-4;
var PROBLEM = "the data could not be read";
function count(value) {
	return Number.isFinite(value) ? minus(String(round(value)).replace(/\B(?=(\d{3})+$)/g, ",")) : MISSING;
}
function number(value) {
	const size = abs(value);
	if (!Number.isFinite(value))
		return MISSING;
	if (size >= 1e9 || size > 0 && size < 1e-5)
		return minus(value.toExponential(2));
	if (Number.isInteger(value) || size >= 1e3)
		return count(value);
	return minus(String(Number(value.toPrecision(3))));
}
function signed(value) {
	return (value > 0 ? "+" : "") + number(value);
}
function minus(text) {
	return text.replaceAll("-", "−");
}
function words(name) {
	return name.replace(/[_\s]+/g, " ").trim() || "unnamed";
}
function plural(n, noun) {
	return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
function joined(parts, joint = ", ") {
	return parts.filter(Boolean).join(joint);
}
function reason(error) {
	return error instanceof Error && error.message || PROBLEM;
}
function tickStep(span2, wanted) {
	if (!(span2 > 0) || !(wanted > 0))
		return 1;
	const power = 10 ** floor(Math.log10(span2 / wanted));
	return power * ([1, 2, 5].find((factor) => factor * power >= span2 / wanted) ?? 10);
}

function odd(value) {
	return !Number.isFinite(value);
}
function rewardText(value) {
	if (!odd(value))
		return signed(value);
	return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
}
function totalText(value) {
	return odd(value) ? "unknown" : number(value);
}
function hasRewards(replay) {
	return replay.field("total_reward").present;
}
function rewardAt(replay, object, step) {
	const rewards = replay.field("current_reward");
	return rewards.present ? rewardText(rewards.at(object, step)) : MISSING;
}

var KINDS = {
	reward: ["reward", "reward"],
	penalty: ["negative reward", "reward"],
	odd: ["reward not finite", "reward"],
	gain: ["item gain", "gains", "gain"],
	freeze: ["freeze", "freezes", "cold"],
	death: ["death", "deaths", "bad"],
	talk: ["talk", "talk", "talk"],
	failure: ["failed action", "failures"]
};
function agentEvents(replay, object) {
	const changes = (name, entry, wanted) => changesOf(replay.field(name), object, 0, replay.steps, entry).filter(({ now }) => wanted(now)).map(({ step }) => step);
	return {
		reward: changes("current_reward", 0, (now) => now > 0),
		penalty: changes("current_reward", 0, (now) => now < 0),
		odd: changes("current_reward", 0, odd),
		gain: [...new Set(gains(replay, object, 0, replay.steps).map(({ step }) => step))].sort((a, b) => a - b),
		freeze: changes("is_frozen", 0, (now) => now === 1),
		death: changes("alive", 1, (now) => now === 0),
		failure: changes("action_success", 1, (now) => now === 0),
		talk: []
	};
}
function changesOf(field, at, from, to, entry) {
	const found = [];
	let before = from > 0 ? field.at(at, from - 1) : entry;
	field.runs(at, from, to, (step, _, now) => {
		if (!Object.is(now, before))
			found.push({ step, now, before });
		before = now;
	});
	return found;
}
function gains(replay, object, from, to, pairs = replay.pairsOf(object)) {
	return pairs.flatMap((pair) => changesOf(replay.inventory, pair, from, to, NaN)).filter(({ now, before }) => now > before);
}
function overview(replay, kind) {
	return replay.base.numbers(`overview.${KINDS[kind][1]}`);
}
function nextStep(sorted, step, way) {
	return (way > 0 ? sorted.find((value) => value > step) : sorted.findLast((value) => value < step)) ?? -1;
}
function rewardBins(replay, object, bins) {
	const sums = new Float64Array(bins);
	const { steps } = replay;
	replay.field("current_reward").runs(object, 0, steps, (start, end, value) => {
		for (let at = start, until = at; value !== 0 && at < end; at = until) {
			const bin = binOf(at, bins, steps);
			until = min(end, binStart(bin + 1, bins, steps));
			sums[bin] += odd(value) ? NaN : value * (until - at);
		}
	});
	return sums;
}
function binStart(bin, bins, steps) {
	return floor(bin * steps / bins);
}
function binOf(step, bins, steps) {
	return ceil((step + 1) * bins / steps) - 1;
}

var NAMES = "page raised text muted hairline accent onMark floor wall grid good bad cold gain talk fog heat".split(" ");
function named(colours, marks) {
	const values = colours.split(" ");
	return { ...Object.fromEntries(NAMES.map((name, i) => [name, values[i]])), series: marks.split(" ") };
}
var palettes = {
	light: named("#ffffff #f6f8fa #1c2128 #57606a #d0d7de #0072b2 #ffffff #ffffff #b4bcc6 #1c212812 #1a7f37 #c62828 #1f6feb #9a6700 #6e5494 #1c21286b #d55e00", "#0072b2 #d55e00 #008a62 #b5477d #8a6d00 #5a5fc8 #3f8f9b #7a4b2a"),
	dark: named("#14171c #1c2128 #e6edf3 #a0a8b3 #30363d #56b4e9 #14171c #14171c #484f59 #e6edf312 #4ac26b #ff8a80 #6cb0ff #e3b341 #c3a6ff #00000099 #ff9248", "#56b4e9 #ff9248 #2fc79a #e58fbc #e6c84f #9ba2ff #74cbd6 #c9966f")
};
function series(palette, index) {
	return palette.series[index % 8];
}

function xOf({ left, width, steps }, step) {
	return left + (steps > 1 ? step / (steps - 1) * width : 0);
}
function stepAt({ left, width, steps }, x) {
	return within(round((x - left) / max(1, width) * (steps - 1)), 0, steps - 1);
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
			if (!Number.isFinite(line2[i]))
				continue;
			if (line2[i] < low)
				low = line2[i];
			if (line2[i] > high)
				high = line2[i];
		}
	}
	if (-low < high * 1e-6)
		low = 0;
	return { low, high: high > low ? high : low + 1 };
}

var TAU = Math.PI * 2;
var FAMILY = 'px system-ui, -apple-system, "Segoe UI", sans-serif';
function pixelRatio() {
	return within(globalThis.devicePixelRatio || 1, 1, 3);
}
function penOf(canvas) {
	return canvas.getContext("2d");
}
function newCanvas(width, height = width) {
	return sized(document.createElement("canvas"), width, height);
}
function sized(canvas, width, height) {
	const [w, h2] = [max(1, round(width)), max(1, round(height))];
	if (canvas.width !== w || canvas.height !== h2)
		[canvas.width, canvas.height] = [w, h2];
	return canvas;
}
function prepare(canvas, width, height) {
	const ratio = pixelRatio();
	const pen = penOf(sized(canvas, width * ratio, height * ratio));
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
function write(pen, text, x, y, colour, align = "right", font = "11") {
	pen.fillStyle = colour;
	pen.font = font + FAMILY;
	pen.textAlign = align;
	pen.textBaseline = "middle";
	pen.fillText(text, x, y);
}
function line(pen, ...points) {
	pen.beginPath();
	for (let i = 0; i < points.length; i += 2)
		pen.lineTo(points[i], points[i + 1]);
	pen.stroke();
}

var Part = class {
	constructor(viewer) {
		this.viewer = viewer;
		this.replay = viewer.replay;
		this.facts = viewer.facts;
		this.sprites = viewer.sprites;
	}
	get state() {
		return this.viewer.state;
	}
	get shown() {
		return this.state.shown;
	}
	get selected() {
		return this.state.selected;
	}
	get palette() {
		return this.viewer.palette;
	}
	colour(object, step = this.shown) {
		return this.facts.colour(object, step, this.palette);
	}
};
var Strip = class extends Part {
	width = 0;
	height = 0;
	tip = div("tip");
	backdrop = null;
	resize(width) {
		this.width = width;
		this.backdrop = null;
	}
	drawBackdrop(_pen) {
	}
	startOn(canvas) {
		const pen = prepare(canvas, this.width, this.height);
		if (!this.backdrop) {
			this.backdrop = newCanvas(1);
			this.drawBackdrop(prepare(this.backdrop, this.width, this.height));
		}
		pen.drawImage(this.backdrop, 0, 0, this.width, this.height);
		return pen;
	}
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
		this.head = h("tr");
		this.above = h("tr.spacer");
		this.below = h("tr.spacer");
		this.body = h("tbody", {}, this.above, this.below);
		this.scroller = h("div.scroll", { tabindex: 0, role: "region", label: "Agent table", onscroll: () => this.update() }, h("table.table", { label: "Agents", "aria-rowcount": this.order.length + 1 }, h("thead", {}, this.head), this.body));
		const modes = choice("Items", Object.entries(MODES), (mode) => this.#build(mode));
		const bar = h("label.panel-bar", { hidden: this.items.length === 0 }, span("muted", "Items"), modes);
		this.node = div("panel-fill", bar, this.scroller);
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
		return h(wide ? "th.left" : "th", { scope: "col", "aria-sort": sorted }, button(title, press, "sort", { title: hint }));
	}
	#plainColumns() {
		const { replay, facts } = this;
		const at = (name) => (object) => replay.at(name, object, this.shown);
		return [
			{ title: "agent", hint: "Agent number", value: (object) => replay.agentIds[object], text: String },
			{ title: "doing", hint: "Action at this step", wide: true, value: at("action_id"), text: (_, object) => replay.here(object, this.shown) ? facts.actionText(object, this.shown) : "dead" },
			...hasRewards(replay) ? this.#rewardColumns() : []
		];
	}
	#rewardColumns() {
		const { replay } = this;
		return [
			{ title: "reward", hint: "Reward at this step", value: (object) => replay.at("current_reward", object, this.shown), text: (_, object) => rewardAt(replay, object, this.shown) },
			{ title: "total", hint: "Reward up to this step", value: (object) => replay.total(object, this.shown), text: totalText },
			{ title: "final", hint: "Reward of the whole episode", value: (object) => replay.field("total_reward").last(object), text: totalText }
		];
	}
	#itemColumn(item) {
		const { replay, mode } = this;
		const title = this.facts.itemName(item);
		const value = (object) => {
			const pair = replay.pairsOf(object).find((each) => replay.pairItems[each] === item);
			if (pair === void 0)
				return 0;
			return mode === "now" ? replay.inventory.at(pair, this.shown) : mode === "final" ? replay.inventory.last(pair) : this.#gained(pair);
		};
		return { title, hint: `${title}: ${MODES[mode]}`, value, text: (amount) => amount === 0 ? "" : number(amount) };
	}
	#gained(pair) {
		const { replay } = this;
		if (!this.gains.has(pair))
			this.gains.set(pair, gains(replay, 0, 0, replay.steps, [pair]).reduce((sum, { now, before }) => sum + now - before, 0));
		return this.gains.get(pair) ?? 0;
	}
	refresh() {
		this.gains = new Map();
	}
	update() {
		const { columns = [], body, scroller } = this;
		this.#sort();
		const first = max(0, floor(scroller.scrollTop / ROW) - SPARE);
		const rows = this.order.slice(first, first + ceil(max(120, scroller.clientHeight) / ROW) + 2 * SPARE);
		while (body.rows.length > rows.length + 2)
			body.rows[1].remove();
		while (body.rows.length < rows.length + 2) {
			const row = h("tr", { onclick: () => this.viewer.select(Number(row.dataset.object)) }, ...columns.map(({ wide }) => h(wide ? "td.left" : "td")));
			this.below.before(row);
		}
		this.above.style.height = `${first * ROW}px`;
		this.below.style.height = `${(this.order.length - first - rows.length) * ROW}px`;
		rows.forEach((object, i) => this.#row(body.rows[i + 1], object, first + i + 2));
	}
	#sort() {
		const column = this.columns?.find(({ title }) => title === this.sortedBy);
		const values = new Map(this.order.map((object) => [object, column?.value(object) ?? 0]));
		const rank = (object) => {
			const value = values.get(object) ?? 0;
			return odd(value) ? Infinity : value * (this.ascending ? 1 : -1);
		};
		this.order.sort((a, b) => rank(a) - rank(b) || this.replay.agentIds[a] - this.replay.agentIds[b]);
	}
	#row(row, object, index) {
		set(row, { "data-object": object, "aria-rowindex": index, "aria-selected": String(this.selected === object) });
		this.columns?.forEach(({ text, value }, at) => {
			const cell = row.cells[at];
			if (at === 0 && !cell.firstChild)
				cell.append(span("dot"), h("span"));
			const [dot, label = cell] = cell.children;
			if (dot)
				dot.style.background = this.colour(object);
			setText(label, text(value(object), object));
		});
	}
};

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
	const lower = name.toLowerCase();
	const family = RULES.find(([pattern]) => pattern.test(lower))?.[1] ?? "other";
	const parts = lower.split(/[_-]/);
	return { name, family, direction: /move|turn/.test(family) ? WAYS.findIndex((words2) => words2.some((word) => parts.includes(word))) : -1 };
}
function directionOfMove(dx, dy) {
	if (dx === 0 && dy === 0)
		return -1;
	return abs(dx) > abs(dy) ? dx < 0 ? 2 : 3 : dy < 0 ? 0 : 1;
}
function drawGlyph(pen, family, direction, x, y) {
	pen.save();
	pen.translate(x + 6, y + 6);
	if (direction >= 0)
		pen.rotate([0, TAU / 2, -TAU / 4, TAU / 4][direction]);
	pen.scale(0.75, 0.75);
	pen.lineWidth = 2;
	pen.lineCap = pen.lineJoin = "round";
	pen.beginPath();
	if (family === "turn")
		pen.arc(0, 0, 4, -TAU / 5, TAU * 0.55);
	if (family === "other")
		pen.arc(0, 0, 3.5, 0, TAU);
	pen.stroke();
	for (const stroke of STROKES[direction < 0 && family === "move" ? "stuck" : family])
		line(pen, ...stroke);
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
var WireError = class extends Error {
};
function asBytes(value) {
	if (ArrayBuffer.isView(value))
		return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
	return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(0);
}
async function inflate(bytes, raw, what) {
	if (typeof DecompressionStream === "undefined")
		throw new WireError("this browser is too old to inflate data");
	if (raw > MAX_RAW || raw > bytes.length * MAX_RATIO + 64)
		throw new WireError(`${what} claims ${raw} bytes, which cannot be`);
	const out = new Uint8Array(raw);
	const packed = new Blob([bytes]);
	const reader = packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
	let filled = 0;
	try {
		for (let part = await reader.read(); !part.done; part = await reader.read()) {
			out.set(part.value, filled);
			filled += part.value.length;
		}
	} catch {
		reader.cancel().catch(() => {
		});
		filled = -1;
	}
	if (filled !== raw)
		throw new WireError(`${what} is damaged and cannot be inflated`);
	return out;
}
async function readHeader(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < 16 || view.getUint32(0) !== 1380994135)
		throw new WireError("the data is not an encoded replay");
	const [format, size, raw] = [4, 8, 12].map((at) => view.getUint32(at, true));
	if (format !== FORMAT)
		throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
	if (16 + size > bytes.length || raw > MAX_RAW / 16)
		throw new WireError("the header is cut short");
	const json = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"), "the header");
	return checkHeader(json ?? {}, 16 + size, bytes.length);
}
function parseJson(bytes, what) {
	try {
		return JSON.parse(new TextDecoder().decode(bytes));
	} catch {
		throw new WireError(`${what} is not readable JSON`);
	}
}
function checkHeader(json, start, length) {
	const [width, height] = asList(json.map_size);
	const header = {
		hash: asText(json.hash),
		label: asText(json.label),
		version: Number(json.version) || 0,
		width: whole(width, "map_size", 1, 16384),
		height: whole(height, "map_size", 1, 16384),
		steps: whole(json.steps, "steps", 1, 2e7),
		objects: whole(json.objects, "objects", 0, 5e6),
		agents: whole(json.agents, "agents", 0, json.objects),
		pairs: whole(json.pairs ?? 0, "pairs", 0, 5e7),
		fields: mapped(json.fields, (info) => ({ kind: asText(info?.kind), scalar: info?.scalar ?? null })),
		movers: mapped(json.movers, (movers, name) => whole(movers, `movers of ${name}`, 0, 5e7)),
		tables: mapped(json.tables, asList),
		issues: asList(json.issues).filter(Boolean),
		issues_more: Number(json.issues_more) || 0,
		chunks: asList(json.chunks).map((chunk) => chunkInfo(chunk ?? {}, start, length))
	};
	for (const key of ["type_names", "action_names", "item_names", "capacity_names", "group_names", "vibe_names", "tags"])
		header[key] = asList(json[key]).map(asText);
	if (width * height > 1 << 26)
		throw new WireError(`the map of ${width} x ${height} cells is too large to show`);
	return header;
}
function whole(value, name, low, high) {
	if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high)
		return value;
	throw new WireError(`the header's ${name} is not a whole number from ${low} to ${high}`);
}
function asText(value) {
	return String(value ?? "");
}
function asList(value) {
	return Array.isArray(value) ? value : [];
}
function mapped(value, read) {
	return new Map(Object.entries(value ?? {}).map(([name, entry]) => [name, read(entry, name)]));
}
function chunkInfo(chunk, start, length) {
	const size = whole(chunk.size, "chunk size", 0, MAX_RAW);
	const offset = chunk.offset === null ? null : start + whole(chunk.offset, "chunk offset", 0, length);
	if (offset !== null && offset + size > length)
		throw new WireError(`the part ${asText(chunk.id)} is cut off`);
	const [from, to, raw] = [chunk.from ?? 0, chunk.to ?? 0, chunk.raw].map((value) => whole(value, "chunk", 0, MAX_RAW));
	return { id: asText(chunk.id), kind: asText(chunk.kind), from, to, size, raw, offset, fields: asList(chunk.fields).map(asText) };
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
		if (8 + size > bytes.length)
			throw new WireError(`${what} is cut short`);
		this.directory = mapped(parseJson(bytes.subarray(8, 8 + size), what), asList);
	}
	has(name) {
		return this.directory.has(name);
	}
	numbers(name, length) {
		const [dtype, size, offset] = this.directory.get(name) ?? ["u1", 0, 0];
		const Type = DTYPES.get(dtype);
		const fits = Type && size >= 0 && offset >= 0 && offset % 8 === 0 && size % 1 === 0 && offset + size * Type.BYTES_PER_ELEMENT <= this.bytes.length;
		if (!fits || (length ?? size) !== size)
			throw new WireError(`${this.what} is damaged at ${name}`);
		return new Type(this.bytes.buffer, offset, size);
	}
	json(name) {
		return parseJson(this.numbers(name), `${name} of ${this.what}`);
	}
};
function runningSum(deltas, bound, what) {
	const sums = new Int32Array(deltas.length);
	for (let i = 0, sum = 0; i < deltas.length; i++) {
		sums[i] = sum += deltas[i];
		if (!(sum >= 0 && sum < bound))
			throw new WireError(`${what} points outside its asList`);
	}
	return sums;
}

var WALL = /(^|[_.:\s-])(wall|block|border|obstacle)s?($|[_.:\s-])/i;
var SHAPES = [[0, 0], [6, 0], [4, 0], [5, -1 / 4], [3, -1 / 4]];
var LOOKS = 35;
function kindOf(name) {
	return /^agent/i.test(name) ? "agent" : WALL.test(name) ? "wall" : "thing";
}
function hash(text) {
	let value = 2166136261;
	for (let i = 0; i < text.length; i++)
		value = Math.imul(value ^ text.charCodeAt(i), 16777619);
	return value >>> 0;
}
function describeSprites(names2, all = names2) {
	const looks = new Set();
	const taken = new Set();
	const made = new Map();
	for (const name of [...new Set(all)].sort()) {
		const kind = kindOf(name);
		let look = hash(name) % LOOKS;
		for (let i = 0; kind === "thing" && looks.has(look) && i < LOOKS; i++)
			look = (look + 1) % LOOKS;
		if (kind === "thing")
			looks.add(look);
		made.set(name, { kind, shape: floor(look / 7), hue: 1 + look % 7, letters: kind === "thing" ? letters(name, taken) : "", name });
	}
	return names2.map((name) => made.get(name));
}
function letters(name, taken) {
	const [first = "?", ...rest] = name.replace(/[^\p{L}\p{N}]/gu, "");
	const found = [...rest, ..."23456789"].map((second) => first.toUpperCase() + second.toLowerCase()).find((pair) => !taken.has(pair)) ?? first;
	taken.add(found);
	return found;
}
function drawThing(pen, sprite, palette, size) {
	const [corners, turn] = SHAPES[sprite.shape];
	const half = size / 2;
	pen.fillStyle = series(palette, sprite.hue);
	pen.beginPath();
	if (corners === 0)
		pen.roundRect(size * 0.08, size * 0.08, size * 0.84, size * 0.84, size * 0.14);
	for (let i = 0; i < corners; i++)
		pen.lineTo(half + cos((turn + i / corners) * TAU) * size * 0.48, half + sin((turn + i / corners) * TAU) * size * 0.48);
	pen.fill();
	if (size >= 15)
		write(pen, sprite.letters, half, size * (corners === 3 ? 0.58 : 0.53), palette.onMark, "center", `600 ${size * (corners === 3 ? 0.34 : 0.42)}`);
}
function drawAgent(pen, colour, palette, label, pad, size, facing) {
	const centre2 = pad + size / 2;
	disc(pen, palette.page, centre2, centre2, size * 0.5);
	if (facing >= 0 && size >= 8) {
		const angle = [-TAU / 4, TAU / 4, TAU / 2, 0][facing & 3];
		pen.fillStyle = colour;
		pen.beginPath();
		for (const [turn, reach] of [[0, 0.56], [0.7, 0.36], [-0.7, 0.36]])
			pen.lineTo(centre2 + cos(angle + turn) * size * reach, centre2 + sin(angle + turn) * size * reach);
		pen.fill();
	}
	disc(pen, colour, centre2, centre2, size * 0.41);
	write(pen, label, centre2, centre2 + size * 0.03, palette.onMark, "center", `600 ${size * (label.length > 2 ? 0.34 : 0.44)}`);
}
function colourOf(sprite, palette) {
	return sprite.kind === "wall" ? palette.wall : series(palette, sprite.hue);
}
var SpriteCache = class {
	drawn = new Map();
	images = new Map();
	thing(sprite, palette, size) {
		const draw = (pen) => sprite.kind === "wall" ? rect(pen, palette.wall, 0, 0, size, size) : drawThing(pen, sprite, palette, size);
		return this.images.get(sprite.name) ?? this.#make(`${sprite.name}|${size}`, size, draw);
	}
	agent(colour, palette, label, size, facing) {
		const pad = agentPad(size);
		return this.#make(`${colour}|${label}|${facing}|${size}`, size + 2 * pad, (pen) => drawAgent(pen, colour, palette, label, pad, size, facing));
	}
	#make(key, side, draw) {
		let canvas = this.drawn.get(key);
		if (!canvas) {
			if (this.drawn.size > 4e3)
				this.drawn.clear();
			canvas = newCanvas(side);
			draw(penOf(canvas));
			this.drawn.set(key, canvas);
		}
		return canvas;
	}
	async readImages(bytes) {
		const start = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
		const index = parseJson(bytes.subarray(4, start), "the sprite index");
		for (const [name, [offset, length]] of Object.entries(index)) {
			const file = bytes.subarray(start + offset, start + offset + length);
			if (file[0] !== 137 || file[1] !== 80)
				continue;
			const image = await createImageBitmap(new Blob([file], { type: "image/png" })).catch(() => null);
			if (image)
				this.images.set(name, image);
		}
	}
};
function agentPad(size) {
	return ceil(size * 0.08);
}

var UNKNOWN = { kind: "thing", shape: 0, hue: 7, letters: "?", name: "unknown" };
var Facts = class {
	constructor(replay, all = [replay]) {
		this.replay = replay;
		const { header } = replay;
		this.symbols = describeSprites(header.type_names, all.flatMap((each) => each.header.type_names));
		this.actions = header.action_names.map(describeAction);
		this.isAgent = new Uint8Array(header.objects);
		for (const object of replay.agents)
			this.isAgent[object] = 1;
		this.teams = new Teams(replay);
		const movers = new Set([...replay.location.movers, ...replay.alive.movers]);
		const { location, alive, map } = replay;
		const order = new Float64Array(header.objects);
		let n = 0;
		for (let i = 0; i < header.objects; i++) {
			const y = location.first(i, 1);
			if (!movers.has(i) && alive.first(i) && location.first(i) < map.width && y < map.height)
				order[n++] = y * header.objects + i;
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
			if (x >= x0 && x < x1)
				visit(this.still[i], x, this.rows[i]);
		}
	}
	sprite(object) {
		return this.symbols[this.replay.types[object]] ?? UNKNOWN;
	}
	colour(object, step, palette) {
		return this.isAgent[object] ? series(palette, this.teams.hue(this.teams.of(object, step))) : colourOf(this.sprite(object), palette);
	}
	title(object) {
		const { replay } = this;
		return this.isAgent[object] ? `agent ${replay.agentIds[object]}` : `${words(this.sprite(object).name)} #${replay.ids[object]}`;
	}
	actionText(object, step) {
		const [id, parameter] = ["action_id", "action_param"].map((name2) => this.replay.at(name2, object, step));
		const { name = "", family, direction = 0 } = this.actions[id] ?? {};
		if (!family)
			return id >= 0 ? `action ${id}` : "no action";
		return words(name) + (family === "turn" && direction < 0 ? ` ${WAYS[parameter]?.[1] ?? parameter}` : parameter ? ` (${parameter})` : "");
	}
	direction(object, action, step) {
		const { replay } = this;
		if (!action || action.direction >= 0)
			return action?.direction ?? -1;
		const parameter = replay.at("action_param", object, step);
		if (action.family === "turn")
			return WAYS[parameter] ? parameter : -1;
		const after = min(replay.steps - 1, step + this.effectDelay);
		if (action.family !== "move" || after < 1 || !replay.ready(after))
			return -1;
		const [a, b] = [after - 1, after].map((when) => replay.locate(object, when));
		return directionOfMove(b.x - a.x, b.y - a.y);
	}
	facing(object, step) {
		const { replay } = this;
		const turns = replay.field("orientation");
		if (turns.movers.length > 0)
			return turns.at(object, step);
		const { track, mover, point } = replay.location.change(object, step);
		if (!track || point < 0)
			return -1;
		const before = point === track.starts[mover] ? -1 : point - 1;
		return directionOfMove(track.value(mover, point) - track.value(mover, before), track.row(mover, point) - track.row(mover, before));
	}
	teamName(object, step) {
		const { values, names: names2 } = this.teams;
		const team = this.teams.of(object, step);
		return team >= 0 && values.length > 1 ? words(names2[team] || `team ${team}`) : "";
	}
	itemName(item) {
		return words(this.replay.header.item_names[item] || `item ${item}`);
	}
	vibeName(vibe) {
		return words(this.replay.header.vibe_names[vibe] || String(vibe));
	}
	agentItems() {
		const { pairItems, pairObjects } = this.replay;
		return [...new Set(pairItems.filter((_, pair) => this.isAgent[pairObjects[pair]]))].sort((a, b) => a - b);
	}
	holdings(object, step) {
		const { pairItems, inventory } = this.replay;
		return this.replay.pairsOf(object).map((pair) => [pairItems[pair], inventory.at(pair, step)]).filter(([, amount]) => amount);
	}
	summary(object, step) {
		const held2 = this.holdings(object, step).slice(0, 6).map(([item, amount]) => `${this.itemName(item)} ${number(amount)}`);
		return joined([this.title(object), this.teamName(object, step), this.isAgent[object] && this.actionText(object, step), ...held2], " · ");
	}
};
var HUES = ["blue", "red", "green", "pink", "yellow", "purple", "cyan", "brown"];
var Teams = class {
	constructor(replay) {
		const { tags, tables, group_names } = replay.header;
		const tagged = tags.flatMap((tag, id) => tag.startsWith("team:") ? [{ id, name: tag.slice(5) }] : []);
		const name = tagged.length ? "tag_ids" : replay.field("collective_id").present ? "collective_id" : "group_id";
		this.replay = replay;
		this.field = replay.field(name);
		this.entries = tagged.length ? (tables.get("tag_ids") ?? []).map((set2) => tagged.findIndex(({ id }) => [set2].flat().includes(id))) : null;
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
	hue(team) {
		return this.hues[this.values.indexOf(team)] ?? 0;
	}
	heldThings(isAgent) {
		if (this.values.length < 2 || this.field.name === "group_id")
			return [];
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
var KEYS = [
	["toggle", 0, " "],
	["move", -1, "[", "ArrowLeft"],
	["move", 1, "]", "ArrowRight"],
	["seek", 0, "Home"],
	["seek", Infinity, "End"],
	["scaleSpeed", 0.5, "-"],
	["scaleSpeed", 2, "=", "+"],
	["selectNext", -1, "ArrowUp"],
	["selectNext", 1, "ArrowDown"],
	["jump", -1, ","],
	["jump", 1, "."],
	["toggleFollow", 0, "f", "F"],
	["fit", 0, "0"],
	["find", 0, "/"],
	["select", -1, "Escape"]
];
function handleKey(event, target) {
	const { key, shiftKey } = event;
	const from = event.composedPath()[0];
	const [method, argument] = KEYS.find(([, , ...keys]) => keys.includes(key)) ?? [];
	if (!method || event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea") || key === " " && from.closest("button, a, summary"))
		return;
	if (/Up|Down|Home|End/.test(key) && from.closest(".rv-scroll, .rv-trace-scroll"))
		return;
	event.preventDefault();
	event.stopPropagation();
	target[method](Number(argument) * (shiftKey && method === "move" ? 10 : 1));
}

var MAX_SCALE = 96;
var MARGIN = 10;
function fit({ width, height, map }) {
	const scale = min((width - 2 * MARGIN) / map.width, (height - 2 * MARGIN) / map.height);
	return { x: map.width / 2, y: map.height / 2, scale: within(scale, 0.05, MAX_SCALE) };
}
function toWorld(camera, view, px, py) {
	return { x: (px - view.width / 2) / camera.scale + camera.x, y: (py - view.height / 2) / camera.scale + camera.y };
}
function clamp({ x, y, scale }, view) {
	const all = fit(view);
	if (![x, y, scale].every(Number.isFinite))
		return all;
	return { x: within(x, 0, view.map.width), y: within(y, 0, view.map.height), scale: within(scale, min(all.scale * 0.6, 8), MAX_SCALE) };
}
function zoomAt(camera, view, factor, px, py) {
	const { scale } = clamp({ ...camera, scale: camera.scale * factor }, view);
	const { x, y } = toWorld(camera, view, px, py);
	return clamp({ x: x - (px - view.width / 2) / scale, y: y - (py - view.height / 2) / scale, scale }, view);
}
function visibleCells(camera, view) {
	const { width, height, map } = view;
	const low = toWorld(camera, view, 0, 0);
	const high = toWorld(camera, view, width, height);
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
			for (const object of this.replay.agents)
				this.#count(object, this.until, goal);
			this.until = goal;
		}
		return this.until > step || this.tooLarge;
	}
	#count(object, from, to) {
		this.replay.location.runs(object, from, to, (start, end) => {
			const { x, y } = this.replay.locate(object, start);
			const cell = y * this.replay.map.width + x;
			this.counts[cell] += end - start;
			this.peak = max(this.peak, this.counts[cell] || 0);
		});
	}
};

function names({ replay }) {
	const { type_names, item_names, tags } = replay.header;
	const used = new Set(replay.types);
	return [...new Set([...type_names.filter((_, type) => used.has(type)), ...item_names, ...tags].filter(Boolean).map(words))].sort();
}
function search(facts, query) {
	const text = words(query).toLowerCase().replace(/^agent(?=\d)/, "agent ");
	const { replay } = facts;
	if (!query.trim())
		return null;
	const { type_names, item_names, tags, tables } = replay.header;
	const has = (name) => name && words(name).toLowerCase().includes(text);
	const types = type_names.map(has);
	const sets = (tables.get("tag_ids") ?? []).map((set2) => [set2].flat().some((tag) => has(tags[tag])));
	return {
		matches: (object) => types[replay.types[object]] || sets[replay.at("tag_ids", object, 0)] || text === `#${replay.ids[object]}` || facts.isAgent[object] && text === facts.title(object),
		items: item_names.flatMap((name, item) => has(name) ? [item] : [])
	};
}
function matching({ replay, isAgent }, found, step, limit = 5e3) {
	const hits = new Set();
	replay.pairItems.forEach((item, pair) => {
		if (found.items.includes(item) && replay.inventory.at(pair, step) > 0)
			hits.add(replay.pairObjects[pair]);
	});
	for (let object = 0; object < isAgent.length; object++)
		if (found.matches(object))
			hits.add(object);
	const present = [...hits].filter((object) => replay.here(object, step));
	return present.sort((a, b) => isAgent[b] - isAgent[a] || a - b).slice(0, limit);
}

var PLAIN_BELOW = 9;
var GRID_FROM = 14;
function centre({ left, top, perCell }, { x, y }) {
	return [left + (x + 0.5) * perCell, top + (y + 0.5) * perCell];
}
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
			const pen = penOf(this.far);
			const { facts, palette } = this;
			rect(pen, palette.floor, 0, 0, width, height);
			const colours = facts.symbols.map((sprite) => colourOf(sprite, palette));
			facts.each(0, 0, width, height, (object, x, y) => rect(pen, colours[this.replay.types[object]] ?? palette.muted, x, y, 1, 1));
		}
		return this.far;
	}
	draw(pen, frame) {
		const { perCell, left, top, width, height } = frame;
		const key = [perCell, left, top, width, height, this.state.layers.grid].join();
		pen.imageSmoothingEnabled = perCell < 1;
		if (perCell < PLAIN_BELOW)
			return pen.drawImage(this.picture, left, top, round(this.replay.map.width * perCell), round(this.replay.map.height * perCell));
		if (key !== this.nearKey)
			this.#bake(frame);
		this.nearKey = key;
		pen.drawImage(this.near, 0, 0);
	}
	#bake({ perCell, left, top, width, height }) {
		const { palette, sprites, facts } = this;
		const { map } = this.replay;
		const pen = penOf(sized(this.near, width, height));
		pen.clearRect(0, 0, width, height);
		const [x0, y0] = [max(0, floor(-left / perCell)), max(0, floor(-top / perCell))];
		const [x1, y1] = [min(map.width, ceil((width - left) / perCell)), min(map.height, ceil((height - top) / perCell))];
		const px = (x) => left + round(x * perCell);
		const py = (y) => top + round(y * perCell);
		if (perCell >= GRID_FROM && this.state.layers.grid) {
			for (let x = x0; x < x1; x++)
				rect(pen, palette.grid, px(x), py(y0), 1, py(y1) - py(y0));
			for (let y = y0; y < y1; y++)
				rect(pen, palette.grid, px(x0), py(y), px(x1) - px(x0), 1);
		}
		facts.each(x0, y0, x1, y1, (object, x, y) => pen.drawImage(sprites.thing(facts.sprite(object), palette, round(perCell)), px(x), py(y), px(x + 1) - px(x), py(y + 1) - py(y)));
	}
};

var TRAIL_STEPS = 200;
var MOST_RINGS = 800;
var Overlays = class extends Part {
	presence = new Presence(this.replay);
	mask = newCanvas(1);
	heat = newCanvas(1);
	trail(pen, frame) {
		const { replay, selected, shown } = this;
		const width = max(2 * pixelRatio(), frame.perCell * 0.13);
		const [from, to] = [max(0, shown - TRAIL_STEPS), min(replay.steps, shown + TRAIL_STEPS)];
		let last = replay.locate(selected, from);
		ink(pen, this.colour(selected), width);
		replay.location.runs(selected, from, to, (start) => {
			const at = replay.locate(selected, start);
			pen.globalAlpha = 0.9 - 0.8 * abs(start - shown) / TRAIL_STEPS;
			pen.lineCap = start > shown ? "round" : "butt";
			pen.setLineDash(start > shown ? [width * 0.1, width * 2.1] : []);
			if (abs(at.x - last.x) + abs(at.y - last.y) <= 2)
				line(pen, ...centre(frame, last), ...centre(frame, at));
			last = at;
		});
		pen.setLineDash([]);
		pen.globalAlpha = 1;
	}
	#sight(frame, object, { x, y }) {
		const reach = floor(this.replay.at("vision_size", object, this.shown) / 2) || 0;
		const side = (2 * reach + 1) * frame.perCell;
		return [frame.left + (x - reach) * frame.perCell, frame.top + (y - reach) * frame.perCell, side, side];
	}
	#cover(pen, { left, top, perCell }, colour) {
		const { width, height } = this.replay.map;
		rect(pen, colour, left, top, width * perCell, height * perCell);
	}
	vision(pen, frame, place) {
		ink(pen, this.palette.accent, 1.5);
		pen.setLineDash([5, 4]);
		pen.strokeRect(...this.#sight(frame, this.selected, place(this.selected)));
		pen.setLineDash([]);
	}
	fog(pen, frame, place) {
		const { replay, mask, selected, shown } = this;
		const sheet = penOf(sized(mask, frame.width, frame.height));
		sheet.clearRect(0, 0, mask.width, mask.height);
		this.#cover(sheet, frame, this.palette.fog);
		for (const object of this.facts.isAgent[selected] ? [selected] : replay.agents) {
			if (replay.here(object, shown))
				sheet.clearRect(...this.#sight(frame, object, place(object)));
		}
		pen.drawImage(mask, 0, 0);
	}
	presenceMap(pen, frame) {
		const { presence, heat } = this;
		const done = presence.advance(this.shown, 8);
		if (presence.tooLarge)
			return true;
		const sheet = penOf(sized(heat, this.replay.map.width, this.replay.map.height));
		const top = log1p(presence.peak);
		sheet.clearRect(0, 0, heat.width, heat.height);
		presence.counts.forEach((count2, cell) => {
			sheet.globalAlpha = 0.12 + 0.6 * (log1p(count2) / top);
			if (count2)
				rect(sheet, this.palette.heat, cell % heat.width, floor(cell / heat.width), 1, 1);
		});
		pen.imageSmoothingEnabled = false;
		pen.drawImage(heat, frame.left, frame.top, heat.width * frame.perCell, heat.height * frame.perCell);
		return done;
	}
	hits(pen, frame, place, draw) {
		const { found, shown } = this.state;
		if (!found)
			return;
		pen.globalAlpha = 0.72;
		this.#cover(pen, frame, this.palette.floor);
		pen.globalAlpha = 1;
		const { perCell } = frame;
		const list = matching(this.facts, found, shown);
		for (const object of list) {
			const at = place(object);
			draw(object, at);
			if (list.length <= MOST_RINGS)
				ring(pen, this.palette.accent, ...centre(frame, at), max(5 * pixelRatio(), perCell * 0.72), max(1.5 * pixelRatio(), perCell * 0.06));
		}
	}
};

var [PIPS_FROM, MOST_PIPS] = [24, 6];
var MapView = class extends Part {
	constructor(viewer) {
		super(viewer);
		this.canvas = h("canvas.map-canvas");
		this.tip = div("tip");
		this.notice = h("div.notice", { role: "status" });
		this.node = h("div.map", { role: "img", label: "Map of the replay" }, this.canvas, this.tip, this.notice);
		this.still = new Still(viewer);
		this.overlays = new Overlays(viewer);
		this.size = { width: 0, height: 0, map: this.replay.map };
		this.hint = "";
		this.place = this.place.bind(this);
		this.#listen();
	}
	resize(width, height) {
		this.size = { ...this.size, width, height };
		sized(this.canvas, width * pixelRatio(), height * pixelRatio());
	}
	get camera() {
		const { camera, follow, selected } = this.state;
		const now = clamp(camera ?? fit(this.size), this.size);
		if (!follow || selected < 0)
			return now;
		const { x, y } = this.place(selected);
		return { x: x + 0.5, y: y + 0.5, scale: now.scale };
	}
	set camera(camera) {
		this.viewer.store.set({ camera: clamp(camera, this.size), follow: false });
	}
	place(object) {
		const { replay } = this;
		const { shown, fraction } = this.state;
		const now = replay.locate(object, shown);
		if (fraction <= 0 || replay.location.mover(object) < 0 || shown + 1 >= replay.steps || !replay.ready(shown + 1))
			return now;
		const next = replay.locate(object, shown + 1);
		if (abs(next.x - now.x) + abs(next.y - now.y) > 2)
			return now;
		return { x: now.x + (next.x - now.x) * fraction, y: now.y + (next.y - now.y) * fraction };
	}
	draw() {
		const { palette, overlays, place } = this;
		const { layers, found, selected } = this.state;
		const chosen = this.facts.isAgent[selected];
		const { width, height } = this.replay.map;
		const { canvas, camera } = this;
		const pen = canvas.getContext("2d", { alpha: false });
		const perCell = camera.scale * canvas.width / max(1, this.size.width);
		const [left, top] = [round(canvas.width / 2 - camera.x * perCell), round(canvas.height / 2 - camera.y * perCell)];
		const frame = { perCell, left, top, width: canvas.width, height: canvas.height };
		rect(pen, palette.raised, 0, 0, canvas.width, canvas.height);
		if (perCell >= PLAIN_BELOW)
			rect(pen, palette.floor, left, top, round(width * perCell), round(height * perCell));
		this.still.draw(pen, frame);
		if (layers.heat && !overlays.presenceMap(pen, frame))
			this.viewer.invalidate("map");
		pen.imageSmoothingEnabled = true;
		this.#teamRings(pen, frame);
		if (layers.trail && chosen)
			overlays.trail(pen, frame);
		this.#movers(pen, frame, camera);
		if (layers.fog)
			overlays.fog(pen, frame, place);
		if (found)
			overlays.hits(pen, frame, place, (object, at) => this.#drawAt(pen, frame, object, at));
		if (layers.vision && chosen)
			overlays.vision(pen, frame, place);
		this.#selection(pen, frame);
		setText(this.notice, this.#noticeText());
	}
	#teamRings(pen, { left, top, perCell }) {
		const { facts, replay, shown } = this;
		for (const object of facts.teamThings) {
			const team = facts.teams.of(object, shown);
			if (team < 0 || !replay.here(object, shown))
				continue;
			const { x, y } = replay.locate(object, shown);
			ink(pen, series(this.palette, facts.teams.hue(team)), max(1, perCell * 0.1));
			pen.strokeRect(left + x * perCell + 0.5, top + y * perCell + 0.5, perCell - 1, perCell - 1);
		}
	}
	#movers(pen, frame, camera) {
		const seen = visibleCells(camera, this.size);
		for (const list of [this.facts.movingThings, this.replay.agents]) {
			for (const object of list) {
				const at = this.place(object);
				const inView = at.x >= seen.x0 - 1 && at.y >= seen.y0 - 1 && at.x <= seen.x1 && at.y <= seen.y1;
				if (inView && this.replay.here(object, this.shown))
					this.#drawAt(pen, frame, object, at);
			}
		}
	}
	#drawAt(pen, { left, top, perCell }, object, at) {
		const { facts, sprites, palette, shown } = this;
		const [x, y] = [left + round(at.x * perCell), top + round(at.y * perCell)];
		const size = max(2, round(perCell));
		const sprite = facts.sprite(object);
		const colour = this.colour(object);
		const agent = facts.isAgent[object];
		if (size < PLAIN_BELOW && !agent) {
			rect(pen, colour, x, y, size, size);
		} else if (!agent || size >= PLAIN_BELOW && sprites.images.has(sprite.name)) {
			pen.drawImage(sprites.thing(sprite, palette, size), x, y, size, size);
		} else {
			const drawn = max(7 * pixelRatio(), size);
			const shift = (drawn - size) / 2 + agentPad(drawn);
			const label = drawn >= 13 ? String(this.replay.agentIds[object]) : "";
			pen.drawImage(sprites.agent(colour, palette, label, drawn, drawn >= 8 ? facts.facing(object, shown) : -1), round(x - shift), round(y - shift));
		}
		if (agent && size >= 6)
			this.#badges(pen, object, x, y, size);
	}
	#badges(pen, object, x, y, size) {
		const { replay, palette, shown } = this;
		const unit = max(3, size * 0.17);
		if (replay.at("is_frozen", object, shown)) {
			ink(pen, palette.cold, max(1.5, size * 0.1));
			pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
		}
		if (size >= 10 && replay.at("action_success", object, shown) === 0) {
			const right = x + size - 1.4 * unit;
			ink(pen, palette.bad, max(1.5, size * 0.08));
			line(pen, right, y - unit * 0.2, right + 1.6 * unit, y + unit * 1.4);
			line(pen, right, y + unit * 1.4, right + 1.6 * unit, y - unit * 0.2);
		}
		const reward = replay.at("current_reward", object, shown);
		if (odd(reward))
			write(pen, rewardText(reward), x, y, palette.bad, "left", `600 ${max(9, round(unit * 2))}`);
		else if (reward !== 0)
			disc(pen, reward > 0 ? palette.good : palette.bad, x + unit * 0.6, y + unit * 0.6, unit * 0.75);
		if (size >= PIPS_FROM && this.state.layers.items)
			this.#pips(pen, object, x + size / 2, y + size, round(size * 0.14));
	}
	#pips(pen, object, middle, bottom, side) {
		const held2 = this.facts.holdings(object, this.shown).slice(0, MOST_PIPS);
		held2.forEach(([item], i) => {
			const left = round(middle + (i - held2.length / 2) * (side + 2));
			rect(pen, this.palette.page, left - 1, bottom - side, side + 2, side + 2);
			rect(pen, series(this.palette, item), left, bottom - side + 1, side, side);
		});
	}
	#selection(pen, frame) {
		if (this.selected < 0)
			return;
		const at = centre(frame, this.place(this.selected));
		const unit = pixelRatio();
		for (const [colour, width] of [[this.palette.page, 5], [this.palette.text, 2.5]]) {
			ring(pen, colour, ...at, max(7 * unit, frame.perCell * 0.66), width * unit);
		}
	}
	#noticeText() {
		const { step, layers } = this.state;
		const { failed } = this.replay.chunkOf(step);
		if (!this.replay.ready(step))
			return failed ? `Step ${step} cannot be shown: ${failed}.` : `Loading step ${step}`;
		return layers.heat && this.overlays.presence.tooLarge ? "This map is too large for a presence map." : this.hint;
	}
	#pick(px, py) {
		const { facts, replay, camera, shown } = this;
		const cell = toWorld(camera, this.size, px, py);
		const [x, y] = [floor(cell.x), floor(cell.y)];
		const far = (object) => {
			const at = this.place(object);
			return hypot(at.x + 0.5 - cell.x, at.y + 0.5 - cell.y);
		};
		const found = [...replay.agents, ...facts.movingThings].filter((object) => far(object) < max(0.6, facts.isAgent[object] * 9 / camera.scale) && replay.here(object, shown)).sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || far(a) - far(b));
		facts.each(x, y, x + 1, y + 1, (object) => found.push(object));
		return found;
	}
	#listen() {
		const { canvas } = this;
		let drag = null;
		set(canvas, {
			onpointerdown: ({ button: button2, pointerId, offsetX: x, offsetY: y }) => {
				if (button2 !== 0)
					return;
				drag = { x, y, moved: false };
				canvas.setPointerCapture(pointerId);
			},
			onpointermove: ({ offsetX: x, offsetY: y }) => {
				if (!drag)
					this.#hover(x, y);
				else if (drag.moved || hypot(x - drag.x, y - drag.y) > 4) {
					const { camera } = this;
					this.camera = { ...camera, x: camera.x - (x - drag.x) / camera.scale, y: camera.y - (y - drag.y) / camera.scale };
					drag = { x, y, moved: true };
				}
			},
			onpointerup: () => {
				if (drag && !drag.moved)
					this.#click(drag.x, drag.y);
				drag = null;
			},
			onpointercancel: () => {
				drag = null;
			},
			onpointerleave: () => this.#hover(-1, -1)
		});
		canvas.addEventListener("wheel", (event) => {
			if (!event.ctrlKey && !event.metaKey && !this.node.closest(".rv-root")?.matches(":focus-within")) {
				return this.viewer.hint("Click the map, or hold Ctrl, to zoom with the wheel");
			}
			event.preventDefault();
			this.zoom(Math.exp(-within(event.deltaY * (event.deltaMode ? 16 : 1), -240, 240) * 22e-4), event.offsetX, event.offsetY);
		}, { passive: false });
	}
	zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
		this.viewer.store.set({ camera: zoomAt(this.camera, this.size, factor, x, y) });
	}
	#click(x, y) {
		const here = this.#pick(x, y);
		this.viewer.select(here[(here.indexOf(this.selected) + 1) % here.length] ?? -1);
	}
	#hover(x, y) {
		const [object = -1] = x < 0 ? [] : this.#pick(x, y);
		const shown = object >= 0 && this.facts.sprite(object).kind !== "wall";
		this.canvas.style.cursor = shown ? "pointer" : "";
		if (shown)
			setText(this.tip, this.facts.summary(object, this.shown));
		showTip(this.tip, shown, x + 14, y > this.size.height - 58 ? y - 36 : y + 16, this.size.width);
	}
};

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

function viewText(camera, follow) {
	if (!camera)
		return "";
	return [camera.x, camera.y, camera.scale].map((value) => Number(value.toFixed(2))).join(",") + (follow ? ",follow" : "");
}
function readView(text) {
	const match = /^(-?[\d.]+),(-?[\d.]+),([\d.]+)(,follow)?$/.exec(String(text).slice(0, 200));
	const [x, y, scale] = (match ?? []).slice(1, 4).map(Number);
	return scale > 0 && Number.isFinite(x + y) ? { camera: { x, y, scale }, follow: Boolean(match?.[4]) } : { camera: null, follow: false };
}
function shareText({ step, selected, view }) {
	return `step=${step}${selected === null ? "" : `&selected=${selected}`}${view ? `&view=${encodeURIComponent(view)}` : ""}`;
}
function readShare(text) {
	const values = new URLSearchParams(text.slice(0, 2e3).trim().replace(/^[^=?#]*[?#]/, ""));
	const whole2 = (key) => /^\d{1,15}$/.test(values.get(key) ?? "") ? Number(values.get(key)) : null;
	return { step: whole2("step"), selected: whole2("selected"), view: values.get("view") };
}
function mettascopeLink(url) {
	return /^https?:\/\//i.test(url) ? `https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=${encodeURIComponent(url)}` : "";
}

var LAYERS = {
	trail: "Path of the selection",
	items: "What agents carry",
	vision: "Vision of the selection",
	fog: "Fog over what is unseen",
	heat: "Where agents have been",
	grid: "Grid"
};
var FOOT = 28;
function menu(name, label, ...content) {
	const summary = h("summary.button", { title: label }, icon(name), label);
	const details = h("details.menu", {
		onfocusout: ({ relatedTarget }) => {
			if (relatedTarget && !details.contains(relatedTarget))
				details.open = false;
		},
		onkeydown: (event) => {
			event.stopPropagation();
			if (event.key !== "Escape")
				return;
			details.open = false;
			summary.focus();
		}
	}, summary, h("div.menu-box", { tabindex: -1 }, ...content));
	return details;
}
function layerMenu({ store }) {
	return menu("layers", "Show", ...Object.entries(LAYERS).map(([key, label]) => {
		const box = h("input", { type: "checkbox", checked: store.state.layers[key], onchange: () => store.set({ layers: { ...store.state.layers, [key]: box.checked } }) });
		return h("label.check", {}, box, label);
	}));
}
function goTo(viewer, text) {
	const place = readShare(text);
	if (place.selected !== null)
		viewer.select(viewer.replay.ids.indexOf(place.selected));
	if (place.view !== null)
		viewer.store.set(readView(place.view));
	if (place.step !== null)
		viewer.seek(place.step);
}
function shareMenu(viewer) {
	const input = h("input.share-text", { type: "text", label: "This place as text", spellcheck: "false" });
	const said = h("span.muted", { role: "status" });
	const copy = () => {
		input.value = shareText(viewer.place);
		input.select();
		void copied(input.value).then((done) => {
			input.select();
			setText(said, done ? "Copied" : "Selected: copy it with Ctrl+C");
		});
	};
	const fresh = () => {
		input.value = shareText(viewer.place);
		setText(said, "");
	};
	const link = mettascopeLink(viewer.options.url);
	return set(menu("share", "Share", h("label.menu-label", {}, "This place: step, selection and view", input), div("row", button("Copy the place", copy), button("Go to the place", () => goTo(viewer, input.value)), said), h("hr"), div("row", button("Save the map as PNG", () => savePicture(viewer)), link ? h("a.action", { href: link, target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : null), h("hr"), definitions(KEY_HELP, "keys")), { ontoggle: fresh });
}
function savePicture(viewer) {
	const { map, palette, options, replay, facts } = viewer;
	const { canvas, size } = map;
	const { shown, selected } = viewer.state;
	const ratio = canvas.width / max(1, size.width);
	const copy = newCanvas(canvas.width, canvas.height + FOOT * ratio);
	const pen = penOf(copy);
	map.draw();
	rect(pen, palette.page, 0, 0, copy.width, copy.height);
	pen.drawImage(canvas, 0, 0);
	pen.scale(ratio, ratio);
	const parts = [options.title, `step ${count(shown)} of ${count(replay.steps - 1)}`, selected >= 0 && facts.title(selected)];
	write(pen, joined(parts, " · "), 10, size.height + FOOT / 2, palette.text, "left", "13");
	copy.toBlob((blob) => {
		if (!blob)
			return viewer.hint("The picture could not be made");
		const name = options.title.replace(/[^\w.-]+/g, "-").slice(0, 60) || "replay";
		const link = h("a", { href: URL.createObjectURL(blob), download: `${name}-step-${shown}.png` });
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
	});
}

var TRICKLE = 0.2;
function activity(facts, object, from, to) {
	const lines = [];
	let reward = 0;
	for (let step = max(0, from); step < min(facts.replay.steps, to); step++) {
		if (!facts.replay.ready(step))
			continue;
		const next = lineAt(facts, object, step);
		const last = lines.at(-1);
		const alike = last && last.to === step - 1 && last.action === next.action && last.failed === next.failed;
		if (alike && !last.notes.length && !next.notes.length && (Object.is(next.reward, reward) || abs(next.reward - reward) <= TRICKLE * abs(reward))) {
			last.to = step;
			last.reward += next.reward;
		} else {
			lines.push(next);
		}
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
		failed: replay.at("action_success", object, step) === 0,
		reward: replay.ready(step) ? replay.at("current_reward", object, step) : 0,
		notes: notesAt(facts, object, step)
	};
}
function notesAt(facts, object, step) {
	const { replay } = facts;
	if (step === 0 || !replay.ready(step - 1))
		return [];
	const notes = [];
	for (const pair of replay.pairsOf(object)) {
		const change = replay.inventory.at(pair, step) - replay.inventory.at(pair, step - 1);
		if (change)
			notes.push(`${signed(change)} ${facts.itemName(replay.pairItems[pair])}`);
	}
	const changed = (name) => replay.at(name, object, step) !== replay.at(name, object, step - 1);
	if (changed("is_frozen"))
		notes.push(replay.at("is_frozen", object, step) ? "frozen" : "free again");
	if (changed("alive"))
		notes.push(replay.here(object, step) ? "alive" : "died");
	if (changed("vibe_id"))
		notes.push(`vibe ${facts.vibeName(replay.at("vibe_id", object, step))}`);
	return notes;
}
function describeLine(title, line2) {
	return joined([`${title}, step ${count(line2.from)}`, line2.action + (line2.failed ? ", failed" : ""), line2.reward !== 0 && `reward ${rewardText(line2.reward)}`, ...line2.notes], "\n");
}

var [BEFORE, AFTER] = [60, 30];
var [LINES_BEFORE, LINES_AFTER] = [5, 4];
var ELSEWHERE = /^(location|alive|inventory|action|animation|orientation|color|group_id|collective_id|layer|vibe|current_reward|total_reward|monologue|is_swappable)/;
var ObjectPanel = class extends Part {
	node = region("Selected object");
	update() {
		const { replay, selected, facts } = this;
		if (selected < 0) {
			fill(this.node, note("Nothing is selected. Click an object on the map, a row of the table or a row of the actions."));
		} else {
			fill(this.node, this.#title(), facts.isAgent[selected] ? this.#activity() : null, this.#facts(replay.locate(selected, this.shown)), this.#inventory(), this.#recipes());
		}
	}
	#at(name) {
		return this.replay.at(name, this.selected, this.shown);
	}
	#list(name) {
		return this.replay.tableList(name, this.selected, this.shown);
	}
	#title() {
		const { facts, selected, shown } = this;
		const flags = this.#fields("bool").filter((name) => this.#at(name)).map((name) => words(name).replace("is ", ""));
		if (!this.replay.here(selected, shown))
			flags.unshift("removed");
		const dot = h("span.dot", { style: `background:${this.colour(selected)}` });
		return div("object-title", dot, h("h3", {}, facts.title(selected)), span("muted", facts.teamName(selected, shown)), ...flags.map((flag) => span("chip", flag)));
	}
	#fields(...kinds) {
		return [...this.replay.fields.values()].filter(({ name, kind, present }) => present && kinds.includes(kind) && !ELSEWHERE.test(name)).map(({ name }) => name);
	}
	#facts({ x, y }) {
		const { replay, facts, selected } = this;
		const rows = [["cell", `${x}, ${y}`]];
		if (facts.isAgent[selected]) {
			const [sum, last] = [replay.total(selected, this.shown), replay.field("total_reward").last(selected)].map(totalText);
			rows.push(["reward", hasRewards(replay) ? `${rewardAt(replay, selected, this.shown)} now, ${sum} so far, ${last} at the end` : "not recorded"]);
		}
		if (replay.field("vibe_id").present)
			rows.push(["vibe", facts.vibeName(this.#at("vibe_id"))]);
		for (const name of this.#fields("int", "delta"))
			if (this.#at(name))
				rows.push([words(name), number(this.#at(name))]);
		const tags = this.#list("tag_ids").map((tag) => replay.header.tags[tag] || `tag ${tag}`);
		if (tags.length)
			rows.push(["tags", joined(tags)]);
		return definitions([...rows, ["type, id", `${facts.sprite(selected).name}, ${replay.ids[selected]}`]]);
	}
	#inventory() {
		const { replay, facts, selected } = this;
		const { item_names, capacity_names } = replay.header;
		const limits = new Map(this.#list("inventory_capacities").map((pair) => [capacity_names[pair?.[0]] ?? `capacity ${pair?.[0]}`, Number(pair?.[1])]));
		const rows = [];
		for (const pair of replay.pairsOf(selected)) {
			const item = replay.pairItems[pair];
			const name = item_names[item] ?? "";
			const [amount, limit] = [replay.inventory.at(pair, this.shown), limits.get(name)];
			if (limits.delete(name) || amount)
				rows.push(this.#inventoryRow(item, amount, limit));
		}
		for (const [name, limit] of limits)
			rows.push(div("inventory-row", `${words(name)} in all`, h("span"), span("number", `at most ${number(limit)}`)));
		if (rows.length === 0 && !facts.isAgent[selected])
			return null;
		return section("Inventory", ...rows.length ? rows : [note("Holds nothing at this step.")]);
	}
	#inventoryRow(item, amount, limit) {
		const name = legendEntry(`background:${series(this.palette, item)}`, this.facts.itemName(item));
		const bar = limit === void 0 ? h("span") : span("bar", h("span.bar-part", { style: `width:${min(100, 100 * amount / (limit || 1))}%` }));
		return div("inventory-row", name, bar, span("number", number(amount) + (limit === void 0 ? "" : ` / ${number(limit)}`)));
	}
	#recipes() {
		const [inputs, outputs] = [this.#list("input_resources"), this.#list("output_resources")];
		const lines = [...this.#list("protocols"), ...inputs.length + outputs.length ? [{ inputs, outputs }] : []].map((protocol) => h("li", {}, this.#protocolText(protocol ?? {})));
		return lines.length ? section("Protocols", h("ul.list", {}, ...lines.slice(0, 60))) : null;
	}
	#protocolText({ inputs, outputs, cooldown, minAgents, vibes }) {
		const { facts } = this;
		const list = (value, text, joint) => Array.isArray(value) ? value.map(text).join(joint) : "";
		const amounts = (pairs) => list(pairs, (pair) => `${number(Number(pair?.[1]))} ${facts.itemName(Number(pair?.[0]))}`, " + ") || "nothing";
		const vibe = list(vibes, (each) => facts.vibeName(Number(each)), ", ");
		return joined([
			`${amounts(inputs)} → ${amounts(outputs)}`,
			cooldown && `cooldown ${number(Number(cooldown))}`,
			minAgents > 1 && `${number(Number(minAgents))} agents`,
			vibe && `vibe ${vibe}`
		]);
	}
	#activity() {
		const step = this.shown;
		const lines = activity(this.facts, this.selected, step - BEFORE, step + AFTER);
		const here = max(0, lines.findIndex((line2) => line2.to >= step));
		return section("What it did", div("activity", ...lines.slice(max(0, here - LINES_BEFORE), here + LINES_AFTER + 1).map((line2) => this.#line(line2))));
	}
	#line({ from, to, action, failed, reward, notes }) {
		const many = to > from;
		const when = from > this.shown ? "" : to < this.shown ? "past" : "now";
		return activityLine(count(from) + (many ? `–${count(to)}` : ""), action + (many ? ` ×${to - from + 1}` : ""), joined([failed && "failed", reward !== 0 && `reward ${rewardText(reward)}`, ...notes]), () => this.viewer.seek(from), when, failed || reward < 0 || odd(reward) ? "lost" : reward > 0 ? "won" : "");
	}
};
function activityLine(when, what, more, onclick, ...classes) {
	return h(joined(["button.line", ...classes], "."), { type: "button", onclick }, span("line-step", when), span("line-action", what), span("line-note", more));
}

var SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3];
var SMOOTH_UP_TO = 45;
var LONGEST_PAUSE_MS = 250;
var Player = class {
	constructor(reels) {
		this.reels = reels;
		this.steps = max(...reels.map(({ steps }) => steps));
		this.position = 0;
		this.last = -1;
	}
	seek(step) {
		this.position = step;
		this.last = -1;
	}
	tick(now, speed) {
		const { reels, steps } = this;
		const ready = (step2) => reels.every((reel) => reel.ready(step2));
		const passed = this.last < 0 ? 0 : within(now - this.last, 0, LONGEST_PAUSE_MS);
		this.last = now;
		const wanted = min(steps - 1, this.position + passed / 1e3 * speed);
		if (ready(floor(wanted)))
			this.position = wanted;
		const ahead = min(steps - 1, floor(wanted + max(64, speed * 2)));
		for (const step2 of [floor(wanted), ahead])
			if (!ready(step2))
				reels.forEach((reel) => reel.load(step2));
		const step = floor(this.position);
		return { step, fraction: speed > SMOOTH_UP_TO || step >= steps - 1 ? 0 : this.position - step, ended: step >= steps - 1 };
	}
};
function clampSpeed(speed) {
	return Number.isFinite(speed) ? within(speed, 0.1, 1e3) : 10;
}

var LIMIT = 140;
var SmallMap = class extends Part {
	scale = LIMIT / max(this.replay.map.width, this.replay.map.height);
	width = max(8, round(this.replay.map.width * this.scale));
	height = max(8, round(this.replay.map.height * this.scale));
	canvas(classes) {
		return h(`canvas.${classes}`, { style: `width:${this.width}px;height:${this.height}px` });
	}
	draw(canvas, step) {
		const { replay, palette, scale, selected } = this;
		const pen = prepare(canvas, this.width, this.height);
		pen.drawImage(this.viewer.map.still.picture, 0, 0, this.width, this.height);
		for (const object of replay.agents) {
			if (!replay.here(object, step))
				continue;
			const { x, y } = replay.locate(object, step);
			const chosen = object === selected;
			const side = max(2, scale) + (chosen ? 2 : 0);
			rect(pen, chosen ? palette.text : this.colour(object, step), (x + 0.5) * scale - side / 2, (y + 0.5) * scale - side / 2, side, side);
		}
		return pen;
	}
};
function minimap(viewer) {
	const { small, map: view, replay } = viewer;
	const { scale } = small;
	const node = set(small.canvas("minimap"), { label: "Whole map; press to move there", hidden: true });
	onDrag(node, (x, y) => {
		view.camera = { x: x / scale, y: y / scale, scale: view.camera.scale };
	});
	const draw = () => {
		const { x0, y0, x1, y1 } = visibleCells(view.camera, view.size);
		node.hidden = (x1 - x0) * (y1 - y0) === replay.map.width * replay.map.height;
		if (node.hidden)
			return;
		const pen = small.draw(node, viewer.state.shown);
		ink(pen, viewer.palette.accent, 1.5);
		pen.strokeRect(x0 * scale + 0.75, y0 * scale + 0.75, max(3, (x1 - x0) * scale - 1.5), max(3, (y1 - y0) * scale - 1.5));
	};
	return { node, draw };
}

var Store = class {
	state = {
		step: 0,
		shown: 0,
		fraction: 0,
		selected: -1,
		playing: false,
		speed: 10,
		camera: null,
		follow: false,
		layers: { trail: true, items: true, vision: false, fog: false, heat: false, grid: true },
		found: null,
		tab: "agents"
	};
	listeners = new Set();
	set(patch) {
		const changed = Object.keys(patch).filter((key) => this.state[key] !== patch[key]);
		Object.assign(this.state, patch);
		if (changed.length > 0)
			for (const listener of this.listeners)
				listener(changed);
	}
};

var CONFIG = "the configuration";
var TALK_LINES = 40;
var LONGEST = 2e4;
var CONFIG_CHARS = 4e5;
var TextPanel = class extends Part {
	node = region("Talk and policy notes");
	update() {
		const { shown, selected } = this;
		const part = this.viewer.texts.part(shown);
		if (part?.failed) {
			const again = () => {
				this.viewer.texts.retry();
				this.update();
			};
			fill(this.node, ...failure(part.failed, again));
		} else if (!part?.fields) {
			fill(this.node, note("Loading the texts of these steps"));
		} else {
			fill(this.node, selected < 0 ? note("Select an agent to read its policy notes.") : this.#agent(selected, shown), this.#talk(shown));
		}
	}
	#agent(object, step) {
		const read = (name) => this.viewer.texts.at(name, object, step);
		const notes = read("policy_infos");
		const texts = { says: read("talk_text"), thinks: read("monologue_append"), ...notes && typeof notes === "object" ? notes : { note: notes } };
		const rows = Object.entries(texts).filter(([, value]) => value !== null && value !== "").slice(0, 100);
		const list = definitions(rows.map(([key, value]) => [words(key), (typeof value === "string" ? value : JSON.stringify(value, null, 1)).slice(0, LONGEST).trim()]));
		list.classList.add("rv-notes");
		return section(this.facts.title(object), rows.length ? list : note("No text at this step."));
	}
	#talk(step) {
		const { viewer, facts } = this;
		const lines = viewer.texts.recentTalk(step, TALK_LINES).map(({ step: when, object, text }) => activityLine(count(when), facts.title(object), text, () => {
			viewer.select(object);
			viewer.seek(when);
		}));
		return lines.length ? section("Talk so far", div("activity", ...lines)) : null;
	}
};
var AboutPanel = class extends Part {
	node = region("About this replay");
	config = h("div");
	update() {
		if (this.node.firstChild)
			return;
		const { header, types, config } = this.replay;
		const used = new Map();
		for (const type of types)
			used.set(type, (used.get(type) ?? 0) + 1);
		const kinds = [...used].sort((a, b) => b[1] - a[1]).slice(0, 60).map(([type, n]) => `${words(header.type_names[type] || "unknown")} ${count(n)}`);
		if (config)
			fill(this.config, button("Show the configuration", () => this.#loadConfig(config)));
		fill(this.node, definitions([
			["format", `MettaScope replay, version ${header.version}`],
			["map", `${count(header.width)} x ${count(header.height)} cells`],
			["steps", count(header.steps)],
			["objects", `${count(header.objects)}: ${joined(kinds)}`],
			["items", joined(header.item_names.filter(Boolean).slice(0, 100).map(words)) || "none"]
		]), this.#issues(), config ? section("Configuration", this.config) : null);
	}
	#issues() {
		const { issues, issues_more } = this.replay.header;
		const entries = issues.map(({ severity, path, rule, count: n, example }) => h("li", {}, h("strong", {}, `${severity}: `), `${path}: ${rule}${n > 1 ? ` (${count(n)} times)` : ""}`, div("muted.code", String(example ?? ""))));
		return section("Issues in the file", entries.length ? h("ul.list", {}, ...entries) : note("None found."), issues_more ? note(`and ${plural(issues_more, "more issue")}`) : null);
	}
	async #loadConfig(config) {
		fill(this.config, note(`Loading ${CONFIG}`));
		try {
			const text = JSON.stringify(parseJson(await this.replay.raw(config, CONFIG), CONFIG), null, 2);
			fill(this.config, h("pre.code", {}, text.length > CONFIG_CHARS ? `${text.slice(0, CONFIG_CHARS)}…` : text));
		} catch (error) {
			fill(this.config, ...failure(reason(error), () => this.#loadConfig(config)));
		}
	}
};

var Track = class {
	constructor(from, starts, steps, value, row) {
		this.from = from;
		this.starts = starts;
		this.steps = steps;
		this.value = value;
		this.row = row;
	}
	find(mover, step) {
		const first = this.starts[mover];
		const next = lowerBound(this.steps, step - this.from + 1, first, this.starts[mover + 1]);
		return next > first ? next - 1 : -1;
	}
	at(mover, step) {
		return this.value(mover, this.find(mover, step));
	}
	runs(mover, from, to, visit) {
		let point = this.find(mover, from);
		for (let start = from; start < to; ) {
			const next = point < 0 ? this.starts[mover] : point + 1;
			const until = next < this.starts[mover + 1] ? min(to, this.from + this.steps[next]) : to;
			if (until > start)
				visit(start, until, this.value(mover, point));
			[start, point] = [until, next];
		}
	}
};
function decodeTrack(columns, name, kind, movers, from, to, entry, map) {
	const starts = new Uint32Array(movers + 1);
	if (columns.has(`${name}.n`))
		starts.set(columns.numbers(`${name}.n`, movers), 1);
	for (let i = 1; i <= movers; i++)
		starts[i] += starts[i - 1];
	const total = starts[movers];
	const deltas = columns.numbers(`${name}.s`, total);
	const steps = accumulate(deltas, starts, new Uint32Array(movers), 0, to - from, `the steps of ${name} are out of order`, true);
	const track = (value, row = value) => new Track(from, starts, steps, value, row);
	const range = `a value of ${name} is out of range`;
	if (kind === "xy") {
		const [x, y] = ["x", "y"].map((axis, i) => {
			const keys2 = entry?.[i] ?? columns.numbers(`${name}.k${axis}`, movers);
			return held(keys2, accumulate(columns.numbers(`${name}.v${axis}`, total), starts, keys2, 0, i ? map.height : map.width, range));
		});
		return track(x, y);
	}
	const keys = entry?.[0] ?? columns.numbers(`${name}.k`, movers);
	if (kind === "bool")
		return track((mover, point) => keys[mover] ^ (point < 0 ? 0 : point - starts[mover] + 1 & 1));
	const values = columns.numbers(`${name}.v`, total);
	if (kind === "float" && columns.has(`${name}.u`)) {
		const distinct = columns.numbers(`${name}.u`);
		return track((mover, point) => point < 0 ? keys[mover] : distinct[values[point]] ?? NaN);
	}
	return track(held(keys, kind === "delta" ? accumulate(values, starts, keys, -(2 ** 31), 2 ** 31, range) : values));
}
function held(keys, values) {
	return (mover, point) => point < 0 ? keys[mover] : values[point];
}
function accumulate(deltas, starts, keys, low, high, problem, rising) {
	const values = low < 0 ? new Int32Array(deltas.length) : high > 65536 ? new Uint32Array(deltas.length) : new Uint16Array(deltas.length);
	keys.forEach((value, mover) => {
		let least = low;
		for (let i = starts[mover]; i < starts[mover + 1]; i++) {
			value += deltas[i];
			if (!(value >= least && value < high))
				throw new WireError(problem);
			values[i] = value;
			if (rising)
				least = value + 1;
		}
	});
	return values;
}

var Texts = class {
	constructor(replay, onload) {
		this.replay = replay;
		this.onload = onload;
		this.parts = replay.texts.map(({ from, to }) => ({ from, to, loading: false, failed: "", fields: null }));
	}
	part(step) {
		const part = this.parts.find(({ from, to }) => step >= from && step < to);
		if (part && !part.fields && !part.loading && !part.failed)
			this.#load(part);
		return part;
	}
	retry() {
		for (const part of this.parts)
			part.failed = "";
	}
	async #load(part) {
		part.loading = true;
		try {
			const { header, map, texts } = this.replay;
			const index = this.parts.indexOf(part);
			const columns = await this.replay.columnsOf(texts[index], "the texts");
			part.fields = new Map(texts[index].fields.map((name) => {
				const objects = runningSum(columns.numbers(`${name}.i`), header.objects, name);
				const track = decodeTrack(columns, name, "int", objects.length, part.from, part.to, null, map);
				return [name, { objects, track, table: [columns.json(`${name}.table`)].flat() }];
			}));
		} catch (error) {
			part.failed = reason(error);
		}
		part.loading = false;
		this.onload();
	}
	at(name, object, step) {
		const field = this.part(step)?.fields?.get(name);
		return field?.table[field.track.at(field.objects.indexOf(object), step)] ?? null;
	}
	recentTalk(step, limit) {
		const part = this.part(step);
		const field = part?.fields?.get("talk_text");
		const lines = [];
		field?.objects.forEach((object, mover) => field.track.runs(mover, part?.from ?? 0, step + 1, (start, _, value) => {
			if (field.table[value])
				lines.push({ step: start, object, text: String(field.table[value]) });
		}));
		return lines.sort((a, b) => b.step - a.step).slice(0, limit);
	}
};

var GUTTER = 90;
var [RIGHT, RAIL, LANE, CAPTION, CHART, FOOT2] = [12, 20, 13, 16, 44, 16];
var LANES = ["gain", "freeze", "death", "talk"];
var TimelineView = class extends Strip {
	hover = -1;
	window = [0, 0];
	agent = null;
	constructor(viewer, full) {
		super(viewer);
		this.full = full;
		this.reward = overview(this.replay, "reward");
		this.dust = -1e-6 * extent(this.reward).high;
		this.lanes = LANES.filter((kind) => full && overview(this.replay, kind).some((value) => value > 0));
		this.top = RAIL + this.lanes.length * LANE + CAPTION;
		this.height = this.top + CHART + FOOT2;
		this.canvas = h("canvas.timeline-canvas");
		this.preview = viewer.small.canvas("preview-map");
		this.previewText = h("div");
		this.tip.append(this.preview, this.previewText);
		this.node = h("div.timeline", {
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
	get axis() {
		return { left: GUTTER, width: max(1, this.width - GUTTER - RIGHT), steps: this.viewer.steps };
	}
	stepsOf(kind) {
		const counts = overview(this.replay, kind);
		const happens = (n) => kind === "odd" ? odd(n) : kind === "penalty" ? n < this.dust : n > -this.dust;
		return this.agent?.events[kind] ?? Array.from(counts.keys()).filter((bin) => happens(counts[bin])).map((bin) => binStart(bin, counts.length, this.replay.steps));
	}
	refresh() {
		this.backdrop = this.agent = null;
	}
	draw(step) {
		this.#drawHead(this.startOn(this.canvas), step);
		set(this.node, { "aria-valuenow": step, "aria-valuetext": `step ${step} of ${this.viewer.steps - 1}` });
	}
	drawBackdrop(pen) {
		const { replay, axis, selected } = this;
		const { muted } = this.palette;
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
	}
	#drawLane(pen, kind, y) {
		const { axis, palette, agent } = this;
		const [word, , name = "talk"] = KINDS[kind];
		const colour = palette[name];
		const counts = overview(this.replay, kind);
		const { high } = extent(counts);
		write(pen, kind === "talk" ? word : `${word}s`, GUTTER - 8, y + LANE / 2 + 0.5, palette.muted);
		counts.forEach((n, bin) => {
			pen.globalAlpha = (agent ? 0.3 : 1) * (0.4 + 0.6 * (n / high));
			if (n > 0)
				rect(pen, colour, xOf(axis, binStart(bin, counts.length, axis.steps)), y + 2, max(1, axis.width / counts.length), LANE - 4);
		});
		pen.globalAlpha = 1;
		for (const step of agent?.events[kind] ?? [])
			rect(pen, colour, round(xOf(axis, step)) - 1, y, 2, LANE - 1);
	}
	#lines() {
		const { palette, agent, replay } = this;
		const line2 = (name, sums, share, colour) => ({ name, values: ratePerStep(sums, replay.steps, share), steps: replay.steps, colour });
		const mean = line2(`reward per step, mean of ${plural(replay.agents.length, "agent")}`, this.reward, replay.agents.length, palette.muted);
		return agent ? [mean, line2(this.facts.title(agent.object), agent.rewards, 1, palette.accent)] : [mean];
	}
	#drawChart(pen) {
		const { axis, palette, top, replay } = this;
		const lines = this.viewer.lines ?? this.#lines();
		const { low, high } = extent(...lines.map(({ values }) => values));
		const bottom = top + CHART;
		const y = (value) => bottom - (value - low) / (high - low) * CHART;
		let right = axis.left + axis.width;
		if (!hasRewards(replay))
			return write(pen, "no reward is recorded in this replay", right, top - 7, palette.muted);
		if (lines.every(({ values }) => values.every((value) => value === 0)))
			return write(pen, "no reward in this replay", right, top - 7, palette.muted);
		write(pen, number(high), GUTTER - 8, top + 4, palette.muted);
		write(pen, number(low), GUTTER - 8, bottom - 4, palette.muted);
		rect(pen, palette.hairline, axis.left, round(y(0)), axis.width, 1);
		for (const each of lines) {
			this.#stroke(pen, each, y);
			write(pen, each.name, right, top - 7, each.colour);
			right -= pen.measureText(each.name).width + 14;
		}
		for (const step of this.full ? this.stepsOf("penalty") : [])
			rect(pen, palette.bad, round(xOf(axis, step)) - 1, bottom - 6, 2, 6);
		this.#markOdd(pen, lines, top);
	}
	#markOdd(pen, lines, top) {
		const { axis, palette } = this;
		const ends = lines.flatMap(({ values, steps }) => [...values.keys()].filter((bin) => odd(values[bin]) && !odd(values[bin - 1] ?? 0)).map((bin) => binStart(bin, values.length, steps)));
		for (const step of ends)
			rect(pen, palette.bad, round(xOf(axis, step)) - 1, top, 2, CHART);
		if (!ends.length)
			return;
		const x = xOf(axis, min(...ends));
		const late = x > axis.left + axis.width / 2;
		write(pen, "reward not finite", x + (late ? -5 : 5), top + 8, palette.bad, late ? "right" : "left");
	}
	#stroke(pen, { values, steps, colour, dash = [] }, y) {
		const { axis } = this;
		ink(pen, colour, colour === this.palette.muted ? 1 : 1.75);
		pen.lineJoin = "round";
		pen.setLineDash(dash);
		pen.beginPath();
		let before = NaN;
		for (const [bin, value] of [...values, NaN].entries()) {
			const x = xOf(axis, min(steps - 1, binStart(bin, values.length, steps)));
			if (!odd(before) && (values.length < axis.width / 3 || odd(value)))
				pen.lineTo(x, y(before));
			if (!odd(value))
				odd(before) ? pen.moveTo(x, y(value)) : pen.lineTo(x, y(value));
			before = value;
		}
		pen.stroke();
		pen.setLineDash([]);
	}
	#drawHead(pen, step) {
		const { axis, palette, hover } = this;
		const [y, x, tall] = [RAIL / 2 - 1, xOf(axis, step), this.height - RAIL - FOOT2 + 4];
		const [from, to] = this.window;
		rect(pen, palette.hairline, axis.left, y - 2, axis.width, 4);
		pen.globalAlpha = 0.55;
		if (to > from && to - from < axis.steps)
			rect(pen, palette.muted, xOf(axis, from), y - 4, max(3, xOf(axis, to) - xOf(axis, from)), 8);
		pen.globalAlpha = 1;
		rect(pen, palette.accent, axis.left, y - 2, x - axis.left, 4);
		if (hover >= 0)
			rect(pen, palette.muted, round(xOf(axis, hover)), RAIL - 4, 1, tall);
		rect(pen, palette.accent, round(x), RAIL - 4, 1.5, tall);
		disc(pen, palette.accent, x, y, 6.5);
	}
	#hideTip() {
		this.hover = -1;
		this.tip.classList.remove("rv-shown");
		this.viewer.invalidate("timeline");
	}
	#showTip(step, x) {
		if (!this.full)
			return;
		this.hover = step;
		setText(this.previewText, this.#tipText(step));
		this.preview.hidden = !this.replay.ready(step);
		if (this.preview.hidden)
			this.replay.load(step);
		else
			this.viewer.small.draw(this.preview, step);
		showTip(this.tip, true, x - this.tip.offsetWidth / 2, -this.tip.offsetHeight - 6, this.width);
		this.viewer.invalidate("timeline");
	}
	#tipText(step) {
		const { reward, agent } = this;
		const bin = binOf(step, reward.length || 1, this.replay.steps);
		const lines = [`step ${count(step)}`];
		for (const kind of this.lanes) {
			const times = overview(this.replay, kind)[bin];
			if (times)
				lines.push(plural(times, KINDS[kind][0]));
		}
		if (reward.length && reward[bin] !== 0)
			lines.push(`reward ${sumText(reward[bin])}, all agents`);
		if (agent && agent.rewards[bin] !== 0)
			lines.push(`reward ${sumText(agent.rewards[bin])}, ${this.facts.title(agent.object)}`);
		return lines.join("\n");
	}
};
function sumText(sum) {
	return odd(sum) ? "not finite" : signed(sum);
}

function transport(target, kinds) {
	const { steps } = target;
	const last = count(steps - 1);
	const play = button("", () => target.toggle(), "button.button-main");
	const input = h("input.step-input", {
		type: "text",
		inputmode: "numeric",
		label: "Step",
		style: `width:${max(4, last.length + 1)}ch`,
		onchange: () => target.seek(Number(input.value.replace(/[\s,.']/g, "")) || 0),
		onfocus: () => input.select()
	});
	const speeds = choice("Speed in steps a second", [], (speed) => target.store.set({ speed: Number(speed) }));
	const kind = choice("Event to jump to", kinds.map((each) => [each, KINDS[each][0]]), () => {
	});
	const jumps = div("group", iconButton("earlier", "Previous event (,)", () => target.jump(-1)), kind, iconButton("later", "Next event (.)", () => target.jump(1)));
	jumps.hidden = kinds.length === 0;
	const node = h("div.transport", { role: "toolbar", label: "Playback" }, div("group", iconButton("first", "First step (Home)", () => target.seek(0)), iconButton("back", "One step back ([)", () => target.move(-1)), play, iconButton("forward", "One step on (])", () => target.move(1)), iconButton("last", "Last step (End)", () => target.seek(steps))), h("label.step", {}, "step", input, span("muted", `of ${last}`)), h("label.step", {}, speeds, span("muted", "steps/s")), jumps);
	let now = {};
	const update = (step, { playing, speed }) => {
		if (!input.matches(":focus") || playing)
			input.value = count(step);
		if (playing !== now.playing) {
			const label = playing ? "Pause (Space)" : "Play (Space)";
			fill(set(play, { label, title: label }), icon(playing ? "pause" : "play"));
		}
		if (speed !== now.speed) {
			fill(speeds, ...[...new Set([...SPEEDS, speed])].sort((a, b) => a - b).map((value) => h("option", { value }, String(Number(value.toPrecision(4))))));
			speeds.value = String(speed);
		}
		now = { playing, speed };
	};
	return { node, kind, update };
}
function kindsIn(replay) {
	const kinds = Object.keys(KINDS);
	const earns = replay.field("current_reward").movers.length > 0;
	return kinds.filter((kind) => kind !== "talk" && (kind === "odd" ? overview(replay, "odd").some(odd) : /reward|penalty/.test(kind) ? earns : overview(replay, kind).some((value) => value > 0)));
}

var ROW2 = 18;
var MOST_ROWS = 6;
var WIDTHS = [1, 2, 4, 8, 15];
var GLYPHS_FROM = 12;
var RIGHT2 = 12;
var NO_DATA = -2;
var TraceView = class extends Strip {
	start = 0;
	zoom = WIDTHS.length - 1;
	revealed = -1;
	constructor(viewer) {
		super(viewer);
		const agents = this.replay.agents.length;
		this.height = ROW2 * within(agents, 1, MOST_ROWS);
		this.canvas = h("canvas.trace-canvas", {
			onclick: (event) => this.#click(event),
			onpointermove: (event) => this.#hover(event),
			onpointerleave: () => this.#hover(null)
		});
		this.scroller = h("div.trace-scroll", {
			tabindex: 0,
			style: `height:${this.height}px`,
			role: "img",
			label: "What each agent did at each step; click to go there",
			onscroll: () => this.#renew()
		}, h("div", { style: `height:${agents * ROW2}px` }, this.canvas));
		this.legend = div("legend");
		this.node = h("section.trace", { label: "Actions by agent", hidden: agents === 0 }, div("trace-head", span("heading", "Actions"), this.legend, span("grow"), iconButton("minus", "Show more steps", () => this.#widen(-1)), iconButton("plus", "Show fewer steps", () => this.#widen(1))), this.scroller, this.tip);
		this.restyle();
	}
	get cell() {
		return WIDTHS[this.zoom];
	}
	get columns() {
		return max(1, floor((this.width - GUTTER - RIGHT2) / this.cell));
	}
	get window() {
		return [this.start, min(this.replay.steps, this.start + this.columns)];
	}
	restyle() {
		const { palette } = this;
		const used = new Set(this.facts.actions.map((action) => action.family));
		const families = Object.keys(FAMILIES).filter((family) => used.has(family));
		fill(this.legend, ...families.map((family) => legendEntry(`background:${this.#colour(family)}`, FAMILIES[family][1])), legendEntry(`border:1.5px solid ${palette.bad}`, "failed"), legendEntry(`background:${palette.gain};height:5px`, "item gain"), legendEntry(`background:${palette.good};height:3px`, "reward"), ...kindsIn(this.replay).includes("odd") ? [legendEntry(`background:${palette.bad};width:4px`, "reward not finite")] : []);
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
		this.#renew(this.shown - this.columns / 3);
	}
	draw() {
		const { shown, selected } = this;
		const [from, to] = this.window;
		if (shown < from || shown >= to)
			this.#renew(shown - this.columns / 3);
		if (selected !== this.revealed)
			this.#reveal(selected);
		const pen = this.startOn(this.canvas);
		ink(pen, this.palette.accent, 1.5);
		pen.strokeRect(GUTTER + (shown - this.start) * this.cell - 0.75, 0.75, this.cell + 0.5, this.height - 1.5);
	}
	#reveal(selected) {
		this.revealed = selected;
		this.backdrop = null;
		const top = this.replay.agents.indexOf(selected) * ROW2;
		const { scrollTop } = this.scroller;
		if (top >= 0 && (top < scrollTop || top + ROW2 > scrollTop + this.height))
			this.scroller.scrollTop = top - this.height / 2;
	}
	drawBackdrop(pen) {
		this.replay.agents.forEach((object, row) => {
			const y = row * ROW2 - this.scroller.scrollTop;
			if (y > -ROW2 && y < this.height)
				this.#drawRow(pen, object, y);
		});
	}
	#drawRow(pen, object, y) {
		const { palette, facts, cell } = this;
		const chosen = this.selected === object;
		if (chosen) {
			rect(pen, palette.raised, 0, y, this.width, ROW2);
			rect(pen, palette.accent, 0, y, 3, ROW2);
		}
		disc(pen, this.colour(object), GUTTER - 13, y + ROW2 / 2, 3.5);
		write(pen, facts.title(object), GUTTER - 22, y + ROW2 / 2 + 0.5, chosen ? palette.text : palette.muted, "right", chosen ? "600 12" : "12");
		const [from, to] = this.window;
		const read = (name, absent = 0) => {
			const values = new Float32Array(to - from).fill(absent);
			this.replay.field(name).runs(object, from, to, (start, end, value) => values.fill(value, start - from, end - from));
			return values;
		};
		const [success, rewards, frozen, alive] = ["action_success", "current_reward", "is_frozen", "alive"].map((name) => read(name));
		const gained = new Set(cell >= 4 ? gains(this.replay, object, from, to).map(({ step }) => step - from) : []);
		const width = cell - (cell >= 4 ? 1 : 0);
		read("action_id", NO_DATA).forEach((id, column) => {
			const x = GUTTER + column * cell;
			if (id === NO_DATA || !alive[column])
				return rect(pen, palette.hairline, x, y + ROW2 / 2, width, 1);
			const action = facts.actions[id];
			const family = action?.family ?? "wait";
			const failed = !success[column] && family !== "wait";
			if (cell >= GLYPHS_FROM)
				this.#drawCell(pen, family, facts.direction(object, action, from + column), failed, x, y + 1, width);
			else
				rect(pen, failed ? palette.bad : this.#colour(family), x, y + (failed ? 8 : 3), width, failed ? 4 : ROW2 - 7);
			if (frozen[column])
				rect(pen, palette.cold, x, y + 1, width, 2);
			if (gained.has(column))
				rect(pen, palette.gain, x + max(0, width - 5), y + 1, min(5, width), 5);
			if (odd(rewards[column]))
				rect(pen, palette.bad, x, y, min(width, 4), ROW2 - 1);
			else if (rewards[column] !== 0)
				rect(pen, rewards[column] > 0 ? palette.good : palette.bad, x, y + ROW2 - 3, width, 3);
		});
	}
	#drawCell(pen, family, direction, failed, x, y, width) {
		const { palette } = this;
		const colour = this.#colour(family);
		const quiet = /move|turn|wait/.test(family);
		pen.beginPath();
		pen.roundRect(x + 0.75, y + 0.75, width - 1.5, ROW2 - 3.5, 2.5);
		ink(pen, failed ? palette.bad : family === "wait" ? palette.muted : quiet ? colour : palette.onMark, 1);
		pen.fillStyle = colour;
		pen.globalAlpha = family === "wait" ? 0.5 : quiet ? 0.2 : 1;
		if (failed)
			pen.stroke();
		else
			pen.fill();
		pen.globalAlpha = 1;
		drawGlyph(pen, family, direction, x + width / 2 - 6, y + 1.5);
	}
	#cellAt(event) {
		const { offsetX: x, offsetY: y } = event;
		const step = this.start + floor((x - GUTTER) / this.cell);
		return { object: this.replay.agents[floor((y + this.scroller.scrollTop) / ROW2)], step: x < GUTTER || step >= this.window[1] ? -1 : step, x, y };
	}
	#click(event) {
		const { object = -1, step } = this.#cellAt(event);
		this.viewer.select(object);
		if (step >= 0)
			this.viewer.seek(step);
	}
	#hover(event) {
		const { object, step = -1, x = 0, y = 0 } = event ? this.#cellAt(event) : {};
		const over = object !== void 0 && step >= 0;
		if (over)
			setText(this.tip, describeLine(this.facts.title(object), lineAt(this.facts, object, step)));
		showTip(this.tip, over, x + 12, y + this.scroller.offsetTop - this.tip.offsetHeight - 10, this.width);
	}
};

var PANEL_MS = 110;
var HINT_MS = 2600;
var FIND = "Find type, item, agent";
var ALL = ["map", "timeline", "trace", "panel"];
var MAP_ONLY = /fraction|camera|follow|layers/;
var Viewer = class {
	frame = 0;
	panelAt = 0;
	hintTimer = 0;
	stepNow = 0;
	running = false;
	dirty = new Set();
	sprites = new SpriteCache();
	store = new Store();
	found = h("span.found.muted", { role: "status" });
	tabs = h("div.tabs", { role: "tablist", label: "Panels" });
	panel = h("div.panel", { role: "tabpanel" });
	constructor(replay, options, all = [replay]) {
		this.replay = replay;
		this.options = options;
		this.theme = options.theme;
		this.facts = new Facts(replay, all);
		this.player = new Player(all);
		this.steps = this.player.steps;
		this.sides = [this];
		this.texts = new Texts(replay, () => this.invalidate("panel"));
		this.small = new SmallMap(this);
		this.map = new MapView(this);
		this.minimap = minimap(this);
		this.timeline = new TimelineView(this, all.length === 1);
		this.transport = transport(this, all.length === 1 ? kindsIn(replay) : []);
		this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
		this.map.node.append(this.minimap.node, h("div.map-buttons", { role: "toolbar", label: "Map view" }, iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)), iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton));
		this.store.listeners.add((changed) => this.changed(changed));
		replay.onload = () => this.loaded();
		this.observer = new ResizeObserver(() => this.resized());
		this.observer.observe(this.map.node);
		this.observer.observe(this.timeline.node);
	}
	get state() {
		return this.store.state;
	}
	get place() {
		const { selected, camera, follow } = this.state;
		return { step: this.stepNow, selected: selected >= 0 ? this.replay.ids[selected] : null, view: viewText(follow ? this.map.camera : camera, follow) };
	}
	get palette() {
		return palettes[this.theme];
	}
	get lines() {
		return null;
	}
	mount() {
		const { options } = this;
		const { header } = this.replay;
		this.trace = new TraceView(this);
		this.panels = { agents: new AgentTable(this), selected: new ObjectPanel(this), text: new TextPanel(this), about: new AboutPanel(this) };
		const list = `rv-names-${header.hash}`;
		const box = h("input.search", {
			type: "search",
			placeholder: FIND,
			label: FIND,
			list,
			oninput: () => this.store.set({ found: search(this.facts, box.value) }),
			onkeydown: (event) => this.#searchKey(event, box)
		});
		const facts = `${plural(header.agents, "agent")}, ${plural(header.steps, "step")}, ${header.width} x ${header.height}`;
		this.#drawTabs();
		return this.frameOf(`Replay viewer: ${options.title}`, h("header.head", {}, h("h2.title", { title: options.title }, options.title), span("muted.facts-line", facts), span("grow"), this.found, h("label.search-wrap", {}, icon("search"), box, h("datalist", { id: list }, ...names(this.facts).map((value) => h("option", { value })))), layerMenu(this), shareMenu(this)), div("body", div("main", this.map.node, this.transport.node, this.timeline.node, this.trace.node), h("aside.side", {}, this.tabs, this.panel)));
	}
	frameOf(label, ...content) {
		this.node = h("div.root", {
			tabindex: 0,
			role: "application",
			label,
			"data-theme": this.theme,
			style: `--rv-height:${this.options.height}px`,
			onkeydown: (event) => handleKey(event, this),
			onclick: (event) => this.clicked(event)
		}, ...content);
		return this.node;
	}
	clicked(event) {
		const button2 = event.target.closest("button");
		if (event.detail > 0 && button2 && !button2.closest("details"))
			this.focus();
	}
	focus() {
		this.node?.focus({ preventScroll: true });
	}
	#drawTabs() {
		const { tab } = this.state;
		const issues = this.replay.header.issues.length;
		const names2 = { agents: "Agents", selected: "Selected", text: "Talk and notes", about: issues ? `About (${plural(issues, "issue")})` : "About" };
		const keys = Object.keys(names2).filter((key) => key !== "text" || this.texts.parts.length > 0);
		fill(this.tabs, ...keys.map((key) => button(names2[key], () => this.store.set({ tab: key }), "tab", { role: "tab", "aria-selected": String(key === tab) })));
		fill(this.panel, this.panels?.[tab].node ?? null);
	}
	seek(step) {
		this.stepNow = within(round(step) || 0, 0, this.steps - 1);
		this.player.seek(this.stepNow);
		for (const { replay, store } of this.sides) {
			const goal = replay.clampStep(this.stepNow);
			store.set(replay.ready(goal) ? { step: goal, shown: goal, fraction: 0 } : { step: goal });
			replay.load(goal);
		}
		this.invalidate("timeline", "panel");
	}
	move(by) {
		this.seek(this.stepNow + by);
	}
	toggle() {
		const { playing } = this.state;
		if (!playing && this.stepNow >= this.steps - 1)
			this.seek(0);
		this.store.set({ playing: !playing });
	}
	scaleSpeed(factor) {
		this.store.set({ speed: clampSpeed(this.state.speed * factor) });
	}
	find() {
		this.node?.querySelector("input")?.focus();
	}
	select(object) {
		const { follow, tab } = this.state;
		this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || tab === "text" ? tab : "selected" });
	}
	selectNext(by) {
		const { agents } = this.replay;
		const at = agents.indexOf(this.state.selected);
		this.select(agents.at(at < 0 ? min(by, 0) : (at + by) % agents.length) ?? -1);
	}
	toggleFollow() {
		const { follow, selected } = this.state;
		if (!follow && selected < 0)
			return this.hint("Select something to follow first");
		for (const { store, map: { camera } } of this.sides)
			store.set({ follow: !follow, camera: { ...camera, scale: max(follow ? 0 : 26, camera.scale) } });
	}
	fit() {
		for (const { store } of this.sides)
			store.set({ camera: null, follow: false });
	}
	jump(way) {
		const kind = this.transport.kind.value;
		if (!kind)
			return;
		const found = nextStep(this.timeline.stepsOf(kind), this.stepNow, way);
		if (found >= 0)
			this.seek(found);
		else
			this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind`);
	}
	#searchKey(event, box) {
		const { found, shown, selected, camera } = this.state;
		if (event.key === "Escape") {
			box.value = "";
			this.store.set({ found: null });
			this.focus();
		}
		if (event.key !== "Enter" || !found)
			return;
		const hits = matching(this.facts, found, shown);
		const next = hits[(hits.indexOf(selected) + (event.shiftKey ? hits.length - 1 : 1)) % hits.length];
		if (next === void 0)
			return;
		this.select(next);
		const { x, y } = this.map.place(next);
		if (camera)
			this.map.camera = { ...camera, x: x + 0.5, y: y + 0.5 };
	}
	hint(text) {
		clearTimeout(this.hintTimer);
		this.map.hint = text;
		this.hintTimer = text ? window.setTimeout(() => this.hint(""), HINT_MS) : 0;
		this.invalidate("map");
	}
	setTheme(theme) {
		this.theme = theme;
		if (this.node)
			this.node.dataset.theme = theme;
		this.sprites.drawn.clear();
		this.map.still.refresh();
		this.loaded();
	}
	async setSprites(bytes) {
		for (const side of this.sides) {
			await side.sprites.readImages(bytes).catch(() => {
			});
			side.map.still.refresh();
			side.invalidate("map");
		}
	}
	changed(changed) {
		const { state } = this;
		if (changed.includes("playing"))
			this.player.seek(this.stepNow);
		if (changed.includes("selected"))
			this.timeline.refresh();
		if (changed.includes("tab"))
			this.#drawTabs();
		set(this.followButton, { "aria-pressed": String(state.follow) });
		this.invalidate(...changed.every((key) => MAP_ONLY.test(key)) ? ALL.slice(0, 1) : ALL);
	}
	loaded() {
		const { step } = this.state;
		if (this.replay.ready(step))
			this.store.set({ shown: step });
		this.timeline.refresh();
		this.trace?.restyle();
		this.panels?.agents.refresh();
		this.invalidate(...ALL);
	}
	resized() {
		const { clientWidth, clientHeight } = this.map.node;
		if (clientWidth === 0)
			return;
		this.map.resize(clientWidth, clientHeight);
		this.timeline.resize(this.timeline.node.clientWidth);
		this.trace?.resize(this.timeline.width);
		this.map.draw();
		this.running = true;
		this.invalidate(...ALL);
	}
	invalidate(...pieces) {
		for (const piece of pieces)
			this.dirty.add(piece);
		if (this.running && !this.frame)
			this.frame = requestAnimationFrame((now) => this.#tick(now));
	}
	#tick(now) {
		const { dirty, state } = this;
		this.frame = 0;
		if (state.playing)
			this.#play(now);
		if (dirty.delete("map")) {
			this.map.draw();
			this.minimap.draw();
		}
		if (dirty.delete("trace"))
			this.trace?.draw();
		if (dirty.delete("timeline") && this.timeline.width > 0) {
			this.timeline.window = this.trace?.window ?? [0, 0];
			this.timeline.draw(this.stepNow);
			this.transport.update(this.stepNow, state);
		}
		if (now - this.panelAt > PANEL_MS && dirty.delete("panel")) {
			this.panelAt = now;
			this.drawPanel();
		}
		if (state.playing || dirty.size > 0)
			this.invalidate();
	}
	#play(now) {
		const { step, fraction, ended } = this.player.tick(now, this.state.speed);
		const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
		this.stepNow = step;
		for (const { store, replay } of this.sides) {
			const shown = replay.clampStep(step);
			store.set({ step: shown, shown, fraction: still || shown < step ? 0 : fraction });
		}
		if (ended)
			this.store.set({ playing: false });
	}
	drawPanel() {
		const { tab, found, shown } = this.state;
		this.panels?.[tab].update();
		const hits = found ? matching(this.facts, found, shown).length : 0;
		setText(this.found, hits ? `${count(hits)} found` : found ? "none found" : "");
	}
	stop() {
		this.running = false;
		cancelAnimationFrame(this.frame);
		clearTimeout(this.hintTimer);
		this.observer.disconnect();
		this.store.listeners.clear();
	}
};

var Compare = class extends Viewer {
	differences = region("Differences");
	constructor(replays, titles, options) {
		super(replays[0], options, replays);
		this.titles = titles;
		this.right = new Viewer(replays[1], options, replays.toReversed());
		this.sides = [this, this.right];
		this.right.store.listeners.add(() => this.invalidate("panel"));
		const [a, b] = replays.map(({ map }) => `${map.width},${map.height}`);
		if (a === b)
			for (const [from, to] of [[this, this.right], [this.right, this]])
				from.store.listeners.add(() => to.store.set({ camera: from.state.camera }));
	}
	mount() {
		const halves = this.sides.map((side, i) => h("section.half", { label: this.titles[i] }, h("h3.title", {}, this.titles[i]), side.map.node));
		return this.frameOf("Two replays compared", div("body", div("main", div("halves", ...halves), this.transport.node, this.timeline.node), h("aside.side", {}, this.differences)));
	}
	get lines() {
		return this.sides.map(({ replay }, i) => ({
			name: i ? this.titles[1] : `reward so far, mean of the agents: ${this.titles[0]}`,
			steps: replay.steps,
			colour: series(this.palette, i),
			dash: i ? [6, 3] : [],
			values: runningTotal(overview(replay, "reward"), replay.agents.length)
		}));
	}
	changed(changed) {
		super.changed(changed);
		const { selected } = this.store.state;
		if (!changed.includes("selected"))
			return;
		const number2 = this.facts.isAgent[selected] ? this.replay.agentIds[selected] : -1;
		const { agents, agentIds } = this.right.replay;
		this.right.select(agents.find((object) => agentIds[object] === number2) ?? -1);
	}
	setTheme(theme) {
		super.setTheme(theme);
		this.right.setTheme(theme);
	}
	drawPanel() {
		const [a, b] = this.sides.map((side) => sumsAt(side, this.stepNow));
		const cells = (texts, cls = "muted") => texts.map((text, i) => h(i > 1 ? `td.${cls}` : "td", {}, text));
		const rows = [...new Set([...a.keys(), ...b.keys()])].map((name) => {
			const [x, y] = [a.get(name) ?? 0, b.get(name) ?? 0];
			return h("tr", {}, h("th", { scope: "row" }, name), ...cells([...[x, y].map(totalText), odd(y - x) ? "unknown" : signed(y - x)], y > x ? "good" : y < x ? "bad" : "muted"));
		});
		const head = h("tr.muted", {}, h("td"), ...cells(["left", "right", "right − left"]));
		fill(this.differences, section("At this step, over all agents", h("table.table.differences", {}, h("tbody", {}, head, ...rows))));
	}
	stop() {
		super.stop();
		this.right.stop();
	}
};
function sumsAt({ replay, facts }, step) {
	const at = replay.clampStep(step);
	const agents = [...replay.agents];
	const total = agents.reduce((sum, object) => sum + replay.total(object, at), 0);
	const sums = new Map([["reward so far", total], ["reward per agent", total / max(1, agents.length)], ["agents alive", agents.filter((object) => replay.here(object, at)).length]]);
	replay.pairItems.forEach((item, pair) => {
		const name = facts.itemName(item);
		if (facts.isAgent[replay.pairObjects[pair]])
			sums.set(name, (sums.get(name) ?? 0) + replay.inventory.at(pair, at));
	});
	return sums;
}

var PATIENCE_MS = 3e3;
var ABSENT = "this part is not embedded in this page, and no Python answers for it";
function messages(model) {
	const prefix = Math.random().toString(36).slice(2, 12);
	const waiting = new Map();
	let asked = 0;
	const receive = (message, buffers) => {
		if (message?.type !== "chunk")
			return;
		const bytes = message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null;
		waiting.get(message.request)?.(bytes, String(message.error || "Python sent no data for this part"));
	};
	model.on("msg:custom", receive);
	return {
		asker: (source) => (hash2, id) => new Promise((resolve, reject) => {
			const request = `${prefix}.${++asked}`;
			const timer = setTimeout(() => waiting.get(request)?.(null, ABSENT), PATIENCE_MS);
			waiting.set(request, (bytes, problem) => {
				waiting.delete(request);
				clearTimeout(timer);
				if (bytes)
					resolve(bytes);
				else
					reject(new WireError(problem));
			});
			model.send({ type: "chunk", request, source, hash: hash2, id });
		}),
		stop() {
			model.off("msg:custom", receive);
			for (const settle of waiting.values())
				settle(null, ABSENT);
		}
	};
}

var DEFAULTS = { alive: 1, collective_id: -1, action_id: -1, action_success: 1, vision_size: 11 };
var KEEP_BYTES = 48e6;
var Field = class {
	constructor(replay, name, length) {
		const { base, header } = replay;
		const info = header.fields.get(name);
		this.replay = replay;
		this.name = name;
		this.present = info !== void 0;
		this.kind = info?.kind ?? "int";
		const [x, y] = this.kind === "xy" ? ["x", "y"] : ["", ""];
		const scalar = info ? info.scalar : DEFAULTS[name] ?? 0;
		this.columns = scalar === null ? [x, y].map((axis) => base.numbers(`${name}.c${axis}`, length)) : null;
		this.scalars = [scalar, scalar].flat().map(Number);
		const count2 = (info && header.movers.get(name)) ?? 0;
		this.movers = runningSum(base.numbers(`${name}.i`, count2), length, name);
		this.lasts = base.numbers(`${name}.f${x}`, count2);
		this.moverOf = new Int32Array(count2 ? length : 0).fill(-1);
		this.movers.forEach((object, mover) => {
			this.moverOf[object] = mover;
		});
	}
	first(object, axis = 0) {
		return this.columns ? this.columns[axis][object] : this.scalars[axis];
	}
	mover(object) {
		return this.moverOf[object] ?? -1;
	}
	last(object) {
		const mover = this.mover(object);
		return mover < 0 ? this.first(object) : this.lasts[mover];
	}
	change(object, step) {
		const mover = this.mover(object);
		const track = mover < 0 || step <= 0 ? null : this.replay.track(this, step);
		return { track, mover, point: track ? track.find(mover, step) : -1 };
	}
	at(object, step) {
		const mover = this.mover(object);
		if (mover < 0 || step <= 0)
			return this.first(object);
		return this.replay.track(this, step)?.at(mover, step) ?? NaN;
	}
	runs(object, from, to, visit) {
		const mover = this.mover(object);
		if (mover < 0 && from < to)
			visit(from, to, this.first(object));
		if (mover < 0)
			return;
		for (const chunk of this.replay.chunks) {
			const [low, high] = [max(from, chunk.from), min(to, chunk.to)];
			if (low < high && chunk.columns)
				this.replay.track(this, low)?.runs(mover, low, high, visit);
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
			if (name !== "inventory" && info.kind !== "text")
				this.field(name);
		this.location = this.field("location");
		this.alive = this.field("alive");
		this.pairItems = base.numbers("inventory.t", header.pairs);
		this.pairObjects = runningSum(base.numbers("inventory.o", header.pairs), n, "the inventory");
		this.inventory = new Field(this, "inventory", header.pairs);
		this.chunks = header.chunks.filter(({ kind }) => kind === "steps").map((info) => ({ ...info, columns: null, loading: null, failed: "", used: 0, tracks: new Map() }));
		const joined2 = this.chunks.every((chunk, i) => chunk.to > chunk.from && chunk.from === (this.chunks[i - 1]?.to ?? 0));
		if (!this.location.present || !joined2 || this.chunks.at(-1)?.to !== this.steps)
			throw new WireError("the parts of the replay do not join");
		this.texts = header.chunks.filter((info) => info.kind === "text");
		this.config = header.chunks.find((info) => info.kind === "config") ?? null;
		this.recent = this.chunks[0];
		this.clock = 0;
		this.onload = () => {
		};
	}
	static async open(bytes, ask) {
		const header = await readHeader(bytes);
		const info = header.chunks.find((chunk) => chunk.kind === "base");
		if (!info || info.offset === null)
			throw new WireError("the data holds no first step");
		const raw = await inflate(bytes.subarray(info.offset, info.offset + info.size), info.raw, "the first step");
		return new _Replay(bytes, header, new Columns(raw, "the first step"), ask);
	}
	field(name) {
		const field = this.fields.get(name) ?? new Field(this, name, this.header.objects);
		this.fields.set(name, field);
		return field;
	}
	at(name, object, step) {
		return this.field(name).at(object, step);
	}
	here(object, step) {
		return this.alive.at(object, step) !== 0;
	}
	clampStep(step) {
		return within(round(step) || 0, 0, this.steps - 1);
	}
	chunkOf(step) {
		if (step < this.recent.from || step >= this.recent.to)
			this.recent = this.chunks.find((chunk) => step < chunk.to) ?? this.chunks[this.chunks.length - 1];
		return this.recent;
	}
	ready(step) {
		return step <= 0 || this.chunkOf(step).columns !== null;
	}
	async load(step) {
		const chunk = this.chunkOf(step);
		if (!chunk.columns && !chunk.failed)
			await (chunk.loading ??= this.#fetch(chunk));
	}
	async #fetch(chunk) {
		const what = `the part with steps ${chunk.from} to ${chunk.to - 1}`;
		try {
			chunk.columns = await this.columnsOf(chunk, what);
			chunk.used = ++this.clock;
			this.#forget();
		} catch (error) {
			chunk.failed = reason(error);
		}
		chunk.loading = null;
		this.onload();
	}
	async raw({ id, offset, size, raw }, what) {
		return inflate(offset === null ? await this.ask(this.header.hash, id) : this.bytes.subarray(offset, offset + size), raw, what);
	}
	async columnsOf(info, what) {
		return new Columns(await this.raw(info, what), what);
	}
	#forget() {
		const held2 = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => b.used - a.used);
		let bytes = 0;
		held2.forEach((chunk, i) => {
			bytes += chunk.raw;
			if (i > 2 && bytes > KEEP_BYTES)
				this.#drop(chunk);
		});
	}
	#drop(chunk) {
		chunk.columns = null;
		chunk.tracks.clear();
	}
	async loadAhead() {
		let bytes = 0;
		for (const { from, raw, offset } of this.chunks) {
			bytes += raw;
			if (offset === null || from > 0 && bytes > KEEP_BYTES)
				return;
			await new Promise((resolve) => setTimeout(resolve));
			await this.load(max(1, from));
		}
	}
	track(field, step) {
		const chunk = this.chunkOf(step);
		chunk.used = ++this.clock;
		return chunk.tracks.get(field.name) ?? this.#guard(chunk, (columns) => {
			const entry = chunk.from > 0 ? null : [0, 1].map((axis) => Float64Array.from(field.movers, (object) => field.first(object, axis)));
			const track = decodeTrack(columns, field.name, field.kind, field.movers.length, chunk.from, chunk.to, entry, this.map);
			chunk.tracks.set(field.name, track);
			return track;
		});
	}
	#guard(chunk, read) {
		try {
			return chunk.columns && read(chunk.columns);
		} catch (error) {
			chunk.failed = reason(error);
			this.#drop(chunk);
			queueMicrotask(() => this.onload());
			return null;
		}
	}
	locate(object, step) {
		const { location } = this;
		const { track, mover, point } = location.change(object, step);
		return track ? { x: track.value(mover, point), y: track.row(mover, point) } : { x: location.first(object), y: location.first(object, 1) };
	}
	pairsOf(object) {
		const pairs = [];
		for (let pair = lowerBound(this.pairObjects, object); this.pairObjects[pair] === object; pair++)
			pairs.push(pair);
		return pairs;
	}
	total(object, step) {
		const totals = this.field("total_reward");
		if (totals.kind !== "derived")
			return totals.at(object, step);
		const mover = totals.mover(object);
		if (mover < 0 || step <= 0)
			return totals.first(object);
		const chunk = this.chunkOf(step);
		const entry = this.#guard(chunk, (columns) => chunk.from > 0 ? columns.numbers("total_reward.k", totals.movers.length)[mover] : totals.first(object));
		let total = entry ?? NaN;
		this.field("current_reward").runs(object, max(1, chunk.from), step + 1, (from, to, value) => {
			total += value * (to - from);
		});
		return total;
	}
	tableList(table, object, step) {
		const value = this.header.tables.get(table)?.[this.at(table, object, step)];
		return Array.isArray(value) ? value : [];
	}
};

var PLAY_MS = 200;
var SETTLE_MS = 60;
var NAMES2 = ["step", "selected", "playing", "speed", "view"];
var TOLD = ["step", "selected", "playing", "speed", "camera", "follow"];
function syncTraits(model, shown) {
	const { store, state } = shown;
	let [timer, writing] = [0, false];
	const write2 = () => {
		clearTimeout(timer);
		timer = 0;
		const { playing, speed } = state;
		const now = { ...shown.place, playing, speed };
		const changed = NAMES2.filter((name) => model.get(name) !== now[name]);
		writing = true;
		for (const name of changed)
			model.set(name, now[name]);
		writing = false;
		if (changed.length > 0)
			model.save_changes();
	};
	const tell = (changed) => {
		if (changed.includes("playing") && !state.playing)
			write2();
		else if (!timer && changed.some((key) => TOLD.includes(key)))
			timer = window.setTimeout(write2, state.playing ? PLAY_MS : SETTLE_MS);
	};
	const read = () => {
		if (!writing)
			readTraits(model, shown);
	};
	read();
	store.listeners.add(tell);
	for (const name of NAMES2)
		model.on(`change:${name}`, read);
	return () => {
		clearTimeout(timer);
		store.listeners.delete(tell);
		for (const name of NAMES2)
			model.off(`change:${name}`, read);
	};
}
function readTraits(model, shown) {
	const { store, replay, place: now } = shown;
	const { playing, speed } = store.state;
	const [selected, view] = [model.get("selected"), model.get("view")];
	if (selected !== now.selected)
		shown.select(replay.ids.indexOf(selected ?? -1));
	if (view !== now.view)
		store.set(readView(view));
	store.set({ speed: clampSpeed(Number(model.get("speed"))) });
	const step = within(Number(model.get("step")) || 0, 0, shown.steps - 1);
	if (step !== now.step && !(playing && abs(step - now.step) < speed))
		shown.seek(step);
	store.set({ playing: model.get("playing") === true });
}

function marked() {
	return [document.body, document.documentElement];
}
function pageTheme(asked) {
	if (asked === "light" || asked === "dark")
		return asked;
	for (const { classList, dataset, style } of marked()) {
		const said = [dataset.theme, style.colorScheme, ...classList];
		if (said.includes("dark") || dataset.jpThemeLight === "false")
			return "dark";
		if (said.includes("light"))
			return "light";
	}
	return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
function watchTheme(changed) {
	const observer = new MutationObserver(changed);
	for (const node of marked())
		observer.observe(node, { attributes: true });
	const media = matchMedia("(prefers-color-scheme: dark)");
	media.addEventListener("change", changed);
	return () => {
		observer.disconnect();
		media.removeEventListener("change", changed);
	};
}

function render({ model, el }) {
	const { asker, stop } = messages(model);
	const theme = () => pageTheme(model.get("theme"));
	let generation = 0;
	let shown = null;
	let stopSync = () => {
	};
	const clear = () => {
		stopSync();
		shown?.stop();
		shown = null;
	};
	const say = (text) => {
		clear();
		fill(el, h("div.root.alone", { "data-theme": theme(), role: "status" }, note(text)));
	};
	const show = (replays) => {
		const titles = replays.map((replay, i) => String(model.get("labels")?.[i] || replay.header.label || "Replay"));
		const options = { title: titles[0], url: String(model.get("url") ?? ""), theme: theme(), height: max(420, Number(model.get("height")) || 640) };
		clear();
		const viewer = replays.length > 1 ? new Compare(replays, titles, options) : new Viewer(replays[0], options);
		const node = viewer.mount();
		stopSync = syncTraits(model, viewer);
		fill(el, node);
		viewer.resized();
		const sprites = asBytes(model.get("sprites"));
		if (sprites.length > 0)
			viewer.setSprites(sprites);
		for (const replay of replays)
			replay.loadAhead();
		shown = viewer;
	};
	const load = async () => {
		const mine = ++generation;
		try {
			const parts = [model.get("data"), ...model.get("kind") === "compare" ? [model.get("data_b")] : []].map(asBytes);
			if (parts.some((bytes) => bytes.length === 0))
				return say(model.get("message") || "No replay to show.");
			const replays = await Promise.all(parts.map((bytes, i) => Replay.open(bytes, asker(i ? "b" : "a"))));
			if (mine === generation)
				show(replays);
		} catch (error) {
			if (mine === generation)
				say(`This replay cannot be shown: ${reason(error)}.`);
		}
	};
	const retheme = () => {
		if (shown && shown.theme !== theme())
			shown.setTheme(theme());
	};
	const stopTheme = watchTheme(retheme);
	const handlers = [["change:data", load], ["change:data_b", load], ["change:message", load], ["change:theme", retheme]];
	for (const [event, act] of handlers)
		model.on(event, act);
	load();
	return () => {
		generation++;
		clear();
		stopTheme();
		stop();
		for (const [event, act] of handlers)
			model.off(event, act);
		fill(el);
	};
}
var widget_default = { render };
export {
	widget_default as default
};
