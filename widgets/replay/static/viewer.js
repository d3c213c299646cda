var { abs, ceil, cos, floor, hypot, log1p, max, min, round, sin } = Math;
var within = (value, low, high) => min(high, max(low, value));
function lowerBound(sorted, value, low = 0, high = sorted.length) {
	let [from, to] = [low, high];
	while (from < to) {
		const middle = from + to >>> 1;
		if (sorted[middle] < value) from = middle + 1;
		else to = middle;
	}
	return from;
}

var MISSING = "–";
var ROUNDS_UP = 1 - 5e-4;
var PROBLEM = "the data could not be read";
function count(value) {
	return Number.isFinite(value) ? minus(String(round(value)).replace(/\B(?=(\d{3})+$)/g, ",")) : MISSING;
}
function number(value) {
	const size = abs(value);
	if (!Number.isFinite(value)) return MISSING;
	if (size >= 1e9 || size > 0 && size < 1e-5) return minus(value.toExponential(2));
	if (Number.isInteger(value) || size >= 1e3) return count(value);
	return minus(String(Number(value.toPrecision(3))));
}
var signed = (value) => (value > 0 ? "+" : "") + number(value);
var minus = (text) => text.replaceAll("-", "−");
var words = (name) => name.replace(/[_\s]+/g, " ").trim() || "unnamed";
var plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
var joined = (parts, joint = ", ") => parts.filter(Boolean).join(joint);
var reason = (error) => error instanceof Error && error.message || PROBLEM;
function tickStep(span2, wanted) {
	if (!(span2 > 0) || !(wanted > 0)) return 1;
	const power = 10 ** floor(Math.log10(span2 / wanted));
	return power * ([1, 2, 5].find((factor) => factor * power >= span2 / wanted) ?? 10);
}

var odd = (value) => !Number.isFinite(value);
function rewardText(value) {
	if (!odd(value)) return signed(value);
	return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
}
var totalText = (value) => odd(value) ? "unknown" : number(value);
var hasRewards = (replay) => replay.field("total_reward").present;
function rewardAt(replay, object, step) {
	const rewards = replay.field("current_reward");
	return rewards.present ? rewardText(rewards.at(object, step)) : MISSING;
}
function ranked(list, value, tie) {
	const ranks = new Map(list.map((each) => [each, value(each)]));
	const rank = (each) => {
		const found = ranks.get(each);
		return odd(found) ? Infinity : found;
	};
	return list.sort((a, b) => rank(a) === rank(b) ? tie(a) - tie(b) : rank(a) - rank(b));
}

function agentEvents(replay, object) {
	const changes2 = (name, entry, wanted) => changesOf(replay.field(name), object, 0, replay.steps, entry).filter(({ now }) => wanted(now)).map(({ step }) => step);
	return {
		reward: changes2("current_reward", 0, (now) => now > 0),
		penalty: changes2("current_reward", 0, (now) => now < 0),
		odd: changes2("current_reward", 0, odd),
		gain: gains(replay, object, 0, replay.steps),
		freeze: changes2("is_frozen", 0, (now) => now === 1),
		death: changes2("alive", 1, (now) => now === 0),
		failure: changes2("action_success", 1, (now) => now === 0),
		talk: []
	};
}
function changesOf(field, at, from, to, entry) {
	const found = [];
	let before = from > 0 ? field.at(at, from - 1) : entry;
	field.runs(at, from, to, (step, _, now) => {
		if (!Object.is(now, before)) found.push({ step, now, before });
		before = now;
	});
	return found;
}
function gains(replay, object, from, to) {
	const found = replay.pairsOf(object).flatMap((pair) => changesOf(replay.inventory, pair, from, to, NaN)).filter(({ now, before }) => now > before);
	return [...new Set(found.map(({ step }) => step))].sort((a, b) => a - b);
}
var overview = (replay, kind) => replay.base.numbers(`overview.${kind}`);
var nextStep = (sorted, step, way) => (way > 0 ? sorted.find((value) => value > step) : sorted.findLast((value) => value < step)) ?? -1;
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
var binStart = (bin, bins, steps) => floor(bin * steps / bins);
var binOf = (step, bins, steps) => ceil((step + 1) * bins / steps) - 1;

var xOf = ({ left, width, steps }, step) => left + (steps > 1 ? step / (steps - 1) * width : 0);
var stepAt = ({ left, width, steps }, x) => within(round((x - left) / max(1, width) * (steps - 1)), 0, steps - 1);
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
	for (const line2 of lines) for (const value of line2) if (Number.isFinite(value)) [low, high] = [min(low, value), max(high, value)];
	if (-low < high * 1e-6) low = 0;
	return { low, high: high > low ? high : low + 1 };
}

var ITEM_BINS = 400;
var MOST_AGENTS = 64;
function groups(facts, by, step, hidden) {
	const agents = [...facts.replay.agents];
	if (by === "all") return [{ name: `mean of ${plural(agents.length, "agent")}`, agents, team: -1 }];
	const told = by === "agent" ? agents.slice(0, MOST_AGENTS).map((object) => ({ name: facts.title(object), agents: [object], team: facts.team(object, step) })) : facts.teams.names.map((name, team) => ({ name, agents: agents.filter((object) => facts.team(object, step) === team), team }));
	return told.filter((group) => group.agents.length && !hidden.has(group.team));
}
function sumOf(objects, read) {
	let sum = 0;
	for (const object of objects) sum += read(object);
	return sum;
}
function curve({ replay }, measure, agents) {
	const { steps } = replay;
	if (measure === "reward" || measure === "total") {
		const all = overview(replay, "sum");
		const lines = agents.length === replay.agents.length ? [all] : agents.map((object) => rewardBins(replay, object, all.length || 1));
		const sums = Float64Array.from({ length: all.length || 1 }, (_, bin) => lines.reduce((sum, each) => sum + (each[bin] ?? 0), 0));
		return measure === "total" ? runningTotal(sums, agents.length) : ratePerStep(sums, steps, agents.length);
	}
	const bins = min(steps, ITEM_BINS);
	const [, kind, item] = /^(item|gained) (\d+)$/.exec(measure) ?? [];
	const at = (object, bin) => {
		const step = binStart(bin, bins, steps);
		return kind ? replay.held(object, Number(item), step) : replay.at(measure, object, step);
	};
	if (kind === "gained") {
		const sums = new Float64Array(bins);
		for (const object of agents) {
			for (const { step, now, before } of changesOf(replay.inventory, replay.pair(object, Number(item)), 0, steps, NaN)) if (now > before) sums[binOf(step, bins, steps)] += now - before;
		}
		return runningTotal(sums, agents.length);
	}
	return Float64Array.from({ length: bins }, (_, bin) => {
		const known = agents.map((object) => at(object, bin)).filter((value) => !Number.isNaN(value));
		return sumOf(known, Number) / known.length;
	});
}

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
function arrange(parent, wanted) {
	const [kept, focused] = [new Set(wanted), focusOf(parent)];
	for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
	wanted.forEach((child, index) => {
		if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
	});
	if (parent.contains(focused)) focus(focused);
}

var h = (selector, ...rest) => make(selector.replaceAll(".", ".rv-"), ...rest);
var div = (classes, ...children) => h(`div.${classes}`, {}, ...children);
var span = (classes, ...children) => h(`span.${classes}`, {}, ...children);
function choice(label, options, chosen) {
	const node = h("select.select", { label, onchange: () => chosen(node.value) }, ...options.map(([value, text]) => h("option", { value }, text)));
	return node;
}
function checkbox(chosen, checked, ...label) {
	const box = h("input", { type: "checkbox", checked, onchange: () => chosen(box.checked) });
	return h("label.check", {}, box, ...label);
}
var legendEntry = (style, text) => span("legend-entry", h("span.swatch", { style }), text);
var region = (label, ...children) => h("div.scroll.pad", { tabindex: 0, role: "region", label }, ...children);
var section = (title, ...children) => h("section", {}, h("h4", {}, title), ...children);
var failure = (problem, again) => [note(`${problem}.`), button("Try again", again)];
var note = (text) => h("p.empty", {}, text);
var terms = (rows, name = "facts") => h(`dl.${name}`, {}, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
var button = (label, onclick, classes = "action", more = {}) => h(`button.${classes}`, { type: "button", onclick, ...more }, label);
var icon = (name) => span(`icon.icon-${name}`);
var iconButton = (name, label, press) => button(icon(name), press, "button", { label, title: label });
function onDrag(node, drag, hover) {
	const move = ({ buttons, offsetX, offsetY }) => (buttons & 1 ? drag : hover)?.(offsetX, offsetY);
	const press = (event) => {
		if (event.button === 0) node.setPointerCapture(event.pointerId);
		move(event);
	};
	set(node, { onpointerdown: press, onpointermove: move });
}
function showTip(tip, shown, left = 0, top = 0, room = 0) {
	tip.classList.toggle("rv-shown", shown);
	if (shown) tip.style.transform = `translate(${within(left, 4, room - tip.offsetWidth - 4)}px, ${top}px)`;
}

var GOLDEN = 137.508;
function teamColour(inks, index) {
	if (index < inks.series.length) return series(inks, index);
	const dark = inks.page < "#8";
	return `hsl(${(index * GOLDEN % 360).toFixed(1)} ${70 - index % 3 * 12}% ${(dark ? 62 : 34) + index % 4 * 4}%)`;
}
var series = (inks, index) => inks.series[index % 8];

var TAU = Math.PI * 2;
var FAMILY = 'px system-ui, -apple-system, "Segoe UI", sans-serif';
var density = () => within(devicePixelRatio, 1, 3);
var penOf = (canvas) => canvas.getContext("2d");
var newCanvas = (width, height = width) => sized(document.createElement("canvas"), width, height);
function sized(canvas, width, height) {
	const [w, h2] = [max(1, round(width)), max(1, round(height))];
	if (canvas.width !== w || canvas.height !== h2) [canvas.width, canvas.height] = [w, h2];
	return canvas;
}
function prepare(canvas, width, height) {
	const ratio = density();
	const pen = penOf(sized(canvas, width * ratio, height * ratio));
	pen.reset();
	pen.scale(ratio, ratio);
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
function write(pen, text, x, y, colour, align = "right", font = "11", edged = false) {
	pen.fillStyle = colour;
	pen.font = font + FAMILY;
	pen.textAlign = align;
	pen.textBaseline = "middle";
	if (edged) pen.strokeText(text, x, y);
	pen.fillText(text, x, y);
}
function line(pen, ...points) {
	pen.beginPath();
	for (let i = 0; i < points.length; i += 2) pen.lineTo(points[i], points[i + 1]);
	pen.stroke();
}

function directionOfMove(dx, dy) {
	if (dx === 0 && dy === 0) return -1;
	return abs(dx) > abs(dy) ? dx < 0 ? 2 : 3 : dy < 0 ? 0 : 1;
}
function drawGlyph(pen, glyph, direction, x, y) {
	pen.save();
	pen.translate(x + 6, y + 6);
	if (direction >= 0) pen.rotate([0, TAU / 2, -TAU / 4, TAU / 4][direction]);
	pen.scale(0.75, 0.75);
	pen.lineWidth = 2;
	pen.lineCap = pen.lineJoin = "round";
	pen.stroke(new Path2D(glyph));
	pen.restore();
}

var FORMAT = 3;
var WireError = class extends Error {};
function asBytes(value) {
	if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
	return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(0);
}
var viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
async function inflate(bytes, raw, what) {
	const packed = new Blob([bytes]).stream();
	const out = await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer().catch(() => null);
	if (out?.byteLength !== raw) throw new WireError(`${what} is damaged and cannot be inflated`);
	return new Uint8Array(out);
}
async function readHeader(bytes) {
	const view = viewOf(bytes);
	if (bytes.length < 16 || view.getUint32(0) !== 1380994135) throw new WireError("the data is not an encoded replay");
	const [format, size, raw] = [4, 8, 12].map((at) => view.getUint32(at, true));
	if (format !== FORMAT) throw new WireError(`the data has format ${format}, this viewer reads ${FORMAT}: encode the replay again`);
	const header = parseJson(await inflate(bytes.subarray(16, 16 + size), raw, "the header"));
	header.fields = new Map(Object.entries(header.fields));
	for (const chunk of header.chunks) if (chunk.offset !== null) chunk.offset += 16 + size;
	return header;
}
var parseJson = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
var DTYPES = { i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array, json: Uint8Array };
var Columns = class {
	constructor(bytes) {
		this.bytes = bytes;
		this.directory = parseJson(bytes.subarray(8, 8 + viewOf(bytes).getUint32(0, true)));
	}
	numbers(name) {
		const [dtype, size, offset] = this.directory[name] ?? ["u1", 0, 0];
		return new DTYPES[dtype](this.bytes.buffer, offset, size);
	}
	json(name) {
		return parseJson(this.numbers(name));
	}
	sums(name) {
		let sum = 0;
		return Int32Array.from(this.numbers(name), (delta) => sum += delta);
	}
};

var NOTCH = "M1.06.5.78.73V.27Z";
var PICTURE = 64;
var RING_BELOW = 13;
var [FACE_FROM, LABEL_FROM] = [18, 30];
function fillPath(pen, path, colour, size, turn = 0) {
	pen.save();
	pen.scale(size, size);
	pen.translate(0.5, 0.5);
	pen.rotate(turn);
	pen.translate(-0.5, -0.5);
	pen.fillStyle = colour;
	pen.fill(new Path2D(path));
	pen.restore();
}
function drawThing(pen, sprite, inks, size) {
	const { shape, middle, tall, letters } = sprite;
	fillPath(pen, shape, colourOf(sprite, inks), size);
	if (size >= 15) write(pen, letters, size / 2, size * middle, inks.onMark, "center", `600 ${size * tall}`);
}
function drawAgent(pen, colour, inks, label, size, facing) {
	const middle = size / 2;
	disc(pen, size < RING_BELOW ? inks.text : inks.page, middle, middle, size * 0.5);
	if (facing >= 0 && size >= 8) fillPath(pen, NOTCH, colour, size, [-TAU / 4, TAU / 4, TAU / 2, 0][facing & 3]);
	disc(pen, colour, middle, middle, size * 0.41);
	write(pen, label, middle, middle + size * 0.03, inks.onMark, "center", `600 ${size * (label.length > 2 ? 0.34 : 0.44)}`);
}
var colourOf = (sprite, inks) => sprite.kind === "wall" ? inks.wall : series(inks, sprite.hue);
var SpriteCache = class {
	drawn = new Map();
	places = {};
	atlas = null;
	url = "";
	plain = false;
	thing(sprite, inks, size) {
		return this.picture(`type:${sprite.name}`, size) ?? this.#make(`${sprite.name}|${size}`, size, (pen) => drawThing(pen, sprite, inks, size));
	}
	agent(colour, inks, label, size, facing) {
		const pad = agentPad(size);
		const body = size >= FACE_FROM && this.picture(`agent.${"nswe"[facing] ?? "s"}`, size, colour);
		return this.#make(`${colour}|${label}|${facing}|${size}|${Boolean(body)}`, size + 2 * pad, (pen) => {
			pen.translate(pad, pad);
			if (!body) return drawAgent(pen, colour, inks, label, size, facing);
			pen.drawImage(body, 0, 0);
			if (size < LABEL_FROM) return;
			ink(pen, colour, size * 0.1);
			write(pen, label, size / 2, size * 0.66, inks.onMark, "center", `600 ${size * 0.26}`, true);
		});
	}
	#place(key) {
		const [x, y] = this.places[key] ?? [];
		return this.atlas && !this.plain && x !== void 0 ? { atlas: this.atlas, x, y } : null;
	}
	picture(key, size, tint = "") {
		const place = this.#place(key);
		if (!place) return null;
		const { atlas, x, y } = place;
		return this.#make(`${key}|${tint}|${size}|picture`, size, (pen) => {
			const draw = () => pen.drawImage(atlas, x, y, PICTURE, PICTURE, 0, 0, size, size);
			pen.imageSmoothingQuality = "high";
			draw();
			if (!tint) return;
			pen.globalCompositeOperation = "multiply";
			rect(pen, tint, 0, 0, size, size);
			pen.globalCompositeOperation = "destination-in";
			draw();
		});
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
	async read(bytes) {
		const start = 4 + viewOf(bytes).getUint32(0, true);
		const index = parseJson(bytes.subarray(4, start));
		const file = new Blob([bytes.subarray(start)]);
		this.atlas = await createImageBitmap(file);
		this.places = index;
		this.url = URL.createObjectURL(file);
	}
	style(key, size) {
		const place = this.#place(key);
		const scale = size / PICTURE;
		return place && `width:${size}px;height:${size}px;background:url(${this.url}) ${-place.x * scale}px ${-place.y * scale}px / ${place.atlas.width * scale}px`;
	}
	stop() {
		URL.revokeObjectURL(this.url);
	}
};
var agentPad = (size) => ceil(size * 0.08);

var Facts = class {
	constructor(replay) {
		this.replay = replay;
		const { header, base, location } = replay;
		this.teams = header.teams;
		this.teamField = replay.field(header.teams.field);
		this.isAgent = Uint8Array.from(replay.agentIds, (id) => id >= 0);
		this.still = base.sums("still");
		this.rows = Int32Array.from(this.still, (object) => location.first(object, 1));
		this.moving = base.sums("moving");
		this.teamThings = base.sums("held");
		this.walls = base.sums("walls");
		this.effectDelay = header.version === 1 ? 1 : 0;
	}
	each(x0, y0, x1, y1, visit) {
		for (let i = lowerBound(this.rows, y0); this.rows[i] < y1; i++) {
			const x = this.replay.location.first(this.still[i]);
			if (x >= x0 && x < x1) visit(this.still[i], x, this.rows[i], this.walls[i]);
		}
	}
	sprite(object) {
		return this.replay.header.looks.at(this.replay.types[object]);
	}
	colour(object, step, inks) {
		return this.isAgent[object] ? teamColour(inks, this.hue(this.team(object, step))) : colourOf(this.sprite(object), inks);
	}
	title(object) {
		const { replay } = this;
		return this.isAgent[object] ? `agent ${replay.agentIds[object]}` : `${words(this.sprite(object).name)} #${replay.ids[object]}`;
	}
	actionText(object, step) {
		return this.replay.header.actions[this.replay.at("action", object, step)]?.name ?? "no action";
	}
	direction(object, action, step) {
		const { replay } = this;
		const after = min(replay.steps - 1, step + this.effectDelay);
		if (action?.family !== "move" || action.direction >= 0 || after < 1 || !replay.ready(after)) return action?.direction ?? -1;
		const [a, b] = [after - 1, after].map((when) => replay.locate(object, when));
		return directionOfMove(b.x - a.x, b.y - a.y);
	}
	facing(object, step) {
		const { replay } = this;
		const turns = replay.field("orientation");
		if (turns.movers.length > 0) return turns.at(object, step);
		const { track, mover, point } = replay.location.change(object, step);
		if (!track || point < 0) return -1;
		const before = point === track.starts[mover] ? -1 : point - 1;
		return directionOfMove(track.value(mover, point) - track.value(mover, before), track.row(mover, point) - track.row(mover, before));
	}
	team(object, step) {
		return this.teams.of[this.teamField.at(object, step)] ?? -1;
	}
	hue(team) {
		return this.teams.hues[team] ?? 0;
	}
	teamName(object, step) {
		const { several, names } = this.teams;
		return several && names[this.team(object, step)] || "";
	}
	itemName(item) {
		return words(this.replay.header.item_names[item] || `item ${item}`);
	}
	vibeName(vibe) {
		return words(this.replay.header.vibe_names[vibe] || String(vibe));
	}
	rules(object, step) {
		const { header, base } = this.replay;
		return [...this.replay.tableList("protocols", object, step), ...header.kinds[base.numbers("kind")[object]].rules.map((rule) => header.rules[rule])];
	}
	holdings(object, step) {
		const { pairItems, inventory } = this.replay;
		return this.replay.pairsOf(object).map((pair) => [pairItems[pair], inventory.at(pair, step)]).filter(([, amount]) => amount);
	}
	summary(object, step) {
		const held = this.holdings(object, step).slice(0, 6).map(([item, amount]) => `${this.itemName(item)} ${number(amount)}`);
		return joined([this.title(object), this.teamName(object, step), this.isAgent[object] && this.actionText(object, step), ...held], " · ");
	}
};

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
	["toggleLoop", 0, "l", "L"],
	["find", 0, "/"],
	["leave", 0, "Escape"]
];
function handleKey(event, target) {
	const { key, shiftKey } = event;
	const from = event.composedPath()[0];
	const [method, argument] = KEYS.find(([, , ...keys]) => keys.includes(key)) ?? [];
	if (!method || event.ctrlKey || event.metaKey || event.altKey || from.matches("input, select, textarea") || key === " " && from.closest("button, a, summary")) return;
	if (/Arrow|Home|End/.test(key) && from.closest(".rv-scroll, .rv-trace-scroll, .rv-tabs")) return;
	if (target[method](argument * (shiftKey && method === "move" ? 10 : 1)) === false) return;
	event.preventDefault();
	event.stopPropagation();
}

var MAX_SCALE = 96;
var MARGIN = 10;
function fit({ width, height, map }) {
	const scale = min((width - 2 * MARGIN) / map.width, (height - 2 * MARGIN) / map.height);
	return { x: map.width / 2, y: map.height / 2, scale: within(scale, 0.05, MAX_SCALE) };
}
var toWorld = (camera, view, px, py) => ({ x: (px - view.width / 2) / camera.scale + camera.x, y: (py - view.height / 2) / camera.scale + camera.y });
function clamp({ x, y, scale }, view) {
	const all = fit(view);
	if (![x, y, scale].every(Number.isFinite)) return all;
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

var SLICE = 128;
function presenceOf(replay) {
	const { width, height } = replay.map;
	const presence = { counts: new Float64Array(width * height), peak: 0, advance };
	let until = 0;
	function advance(step, budget) {
		const end = performance.now() + budget;
		if (step + 1 < until) {
			presence.counts.fill(0);
			until = presence.peak = 0;
		}
		while (until <= step && performance.now() < end) {
			const goal = min(step + 1, until + SLICE);
			for (const object of replay.agents) count2(object, until, goal);
			until = goal;
		}
		return until > step;
	}
	function count2(object, from, to) {
		replay.location.runs(object, from, to, (start, end) => {
			const { x, y } = replay.locate(object, start);
			presence.peak = max(presence.peak, presence.counts[y * width + x] += end - start);
		});
	}
	return presence;
}

var ASKED = /^(?:who |what )?(makes?|gives?|takes?|needs?|uses?) (.+?)\??$/;
function search(facts, query) {
	if (!query.trim()) return null;
	const text = words(query).toLowerCase().replace(/^agent(?=\d)/, "agent ");
	const { header, base, ids } = facts.replay;
	const [, verb = "", item = text] = ASKED.exec(text) ?? [];
	const said = /^[mg]/.test(verb) ? "makes" : verb ? "uses" : "text";
	const kinds = header.kinds.map((kind) => kind[said].includes(item));
	const own = base.numbers("kind");
	return {
		verb,
		tells: (rule) => rule[said].includes(item),
		matches: (object) => kinds[own[object]] || text === `#${ids[object]}` || facts.isAgent[object] && text === facts.title(object),
		items: verb ? [] : header.item_names.flatMap((name, each) => name && words(name).toLowerCase().includes(text) ? [each] : [])
	};
}
function matching({ replay, isAgent }, found, step) {
	const hits = new Set();
	replay.pairItems.forEach((item, pair) => {
		if (found.items.includes(item) && replay.inventory.at(pair, step) > 0) hits.add(replay.pairObjects[pair]);
	});
	for (let object = 0; object < isAgent.length; object++) if (found.matches(object)) hits.add(object);
	const present = [...hits].filter((object) => replay.here(object, step));
	return present.sort((a, b) => isAgent[b] - isAgent[a] || a - b).slice(0, 5e3);
}

var PLAIN_BELOW = 7;
var GRID_FROM = 14;
var centre = ({ left, top, pitch }, { x, y }) => [left + (x + 0.5) * pitch, top + (y + 0.5) * pitch];
function stillMap(viewer) {
	const { replay, facts, sprites, state } = viewer;
	const { map } = replay;
	let far = null;
	const near = newCanvas(1);
	let nearKey = "";
	function picture() {
		if (!far) {
			far = newCanvas(map.width, map.height);
			const pen = penOf(far);
			const { inks } = viewer;
			rect(pen, inks.floor, 0, 0, map.width, map.height);
			const colours = replay.header.looks.map((sprite) => colourOf(sprite, inks));
			facts.each(0, 0, map.width, map.height, (object, x, y) => rect(pen, colours.at(replay.types[object]), x, y, 1, 1));
		}
		return far;
	}
	function draw(pen, frame) {
		const { pitch, left, top } = frame;
		const key = [...Object.values(frame), state.layers.grid].join();
		pen.imageSmoothingEnabled = pitch < 1;
		if (pitch < PLAIN_BELOW) return pen.drawImage(picture(), left, top, round(map.width * pitch), round(map.height * pitch));
		if (key !== nearKey) bake(frame);
		nearKey = key;
		pen.drawImage(near, 0, 0);
	}
	function bake({ pitch, left, top, width, height }) {
		const { inks } = viewer;
		const pen = penOf(sized(near, width, height));
		pen.reset();
		const [x0, y0] = [max(0, floor(-left / pitch)), max(0, floor(-top / pitch))];
		const [x1, y1] = [min(map.width, ceil((width - left) / pitch)), min(map.height, ceil((height - top) / pitch))];
		const px = (x) => left + round(x * pitch);
		const py = (y) => top + round(y * pitch);
		if (pitch >= GRID_FROM && state.layers.grid) {
			for (let x = x0; x < x1; x++) rect(pen, inks.grid, px(x), py(y0), 1, py(y1) - py(y0));
			for (let y = y0; y < y1; y++) rect(pen, inks.grid, px(x0), py(y), px(x1) - px(x0), 1);
		}
		const put = (image, x, y) => pen.drawImage(image, px(x), py(y), px(x + 1) - px(x), py(y + 1) - py(y));
		const size = round(pitch);
		const gaps = [];
		const gap = sprites.picture("wall.fill", size);
		facts.each(x0, y0, x1, y1, (object, x, y, walls) => {
			const sprite = facts.sprite(object);
			const sides = [..."nwse"].filter((_, side) => walls >> side & 1).join("") || "0";
			const wall = sprite.kind === "wall" && sprites.picture(`wall.${sides}`, size);
			put(wall || sprites.thing(sprite, inks, size), x, y);
			if (wall && gap && walls & 16) gaps.push([gap, x + 0.5, y + 0.5]);
		});
		for (const each of gaps) put(...each);
	}
	return {
		picture,
		draw,
		refresh() {
			far = null;
			nearKey = "";
		}
	};
}

var TRAIL_STEPS = 200;
var [FADE_STEPS, MOST_BUBBLES, BUBBLE_CHARS] = [12, 24, 48];
var MOST_RINGS = 800;
function overlaysOf(viewer, place, drawAt) {
	const { replay, facts, state, texts } = viewer;
	const { width, height } = replay.map;
	let presence;
	const [mask, heat] = [newCanvas(1), newCanvas(1)];
	function trail(pen, frame) {
		const { selected, shown } = state;
		const wide = max(2 * density(), frame.pitch * 0.13);
		const [from, to] = [max(0, shown - TRAIL_STEPS), min(replay.steps, shown + TRAIL_STEPS)];
		let last = replay.locate(selected, from);
		ink(pen, viewer.colour(selected), wide);
		replay.location.runs(selected, from, to, (start) => {
			const at = replay.locate(selected, start);
			pen.globalAlpha = 0.9 - 0.8 * abs(start - shown) / TRAIL_STEPS;
			pen.lineCap = start > shown ? "round" : "butt";
			pen.setLineDash(start > shown ? [wide * 0.1, wide * 2.1] : []);
			if (abs(at.x - last.x) + abs(at.y - last.y) <= 2) line(pen, ...centre(frame, last), ...centre(frame, at));
			last = at;
		});
	}
	function rows(object, visit) {
		const reach = min(width + height, floor(replay.at("vision_size", object, state.shown) / 2)) || 0;
		const square = replay.header.version < 4;
		for (let row = -reach; row <= reach; row++) {
			const tip = reach > 1 && { [reach]: 1, 1: reach }[abs(row)];
			visit(row, square ? reach : tip || floor(Math.sqrt(reach * reach - row * row)));
		}
	}
	function sight({ left, top, pitch }, object) {
		const { x, y } = place(object);
		const path = new Path2D();
		for (const side of [1, -1]) {
			rows(object, (row, wide) => {
				for (const edge of [row - 0.5, row + 0.5]) path.lineTo(left + (x + 0.5 + side * (wide + 0.5)) * pitch, top + (y + 0.5 + side * edge) * pitch);
			});
		}
		path.closePath();
		return path;
	}
	const cover = (pen, { left, top, pitch }, colour) => rect(pen, colour, left, top, width * pitch, height * pitch);
	function target(pen, frame) {
		const way = texts.target(state.selected, state.shown);
		if (!way) return;
		const { accent } = viewer.inks;
		const from = place(state.selected);
		const [x, y] = centre(frame, { x: from.x + way.x, y: from.y + way.y });
		const radius = max(6 * density(), frame.pitch * 0.4);
		ink(pen, accent, 2 * density());
		pen.setLineDash([4, 4]);
		line(pen, ...centre(frame, from), x, y);
		pen.setLineDash([]);
		ring(pen, accent, x, y, radius, 2 * density());
		line(pen, x - radius, y, x + radius, y);
		line(pen, x, y - radius, x, y + radius);
	}
	function talk(pen, frame) {
		const { inks } = viewer;
		const unit = density();
		const seen = new Set();
		for (const { object, until, text } of texts.recentTalk(state.shown, MOST_BUBBLES)) {
			const passed = state.shown + 1 - until;
			if (passed >= FADE_STEPS || seen.has(object) || !replay.here(object, state.shown)) continue;
			seen.add(object);
			const [x, y] = centre(frame, place(object));
			const said = text.length > BUBBLE_CHARS ? `${text.slice(0, BUBBLE_CHARS)}…` : text;
			pen.globalAlpha = 1 - passed / FADE_STEPS;
			pen.font = 11 * unit + FAMILY;
			const wide = pen.measureText(said).width + 12 * unit;
			const left = within(x - wide / 2, 2, max(2, frame.width - wide - 2));
			const top = max(2, y - max(9 * unit, frame.pitch * 0.6) - 20 * unit);
			pen.beginPath();
			pen.roundRect(left, top, wide, 18 * unit, 5 * unit);
			pen.fillStyle = inks.page;
			pen.fill();
			ink(pen, inks.talk, unit);
			pen.stroke();
			write(pen, said, left + 6 * unit, top + 9.5 * unit, inks.text, "left", 11 * unit);
		}
	}
	function vision(pen, frame) {
		ink(pen, viewer.inks.accent, 1.5);
		pen.setLineDash([5, 4]);
		pen.stroke(sight(frame, state.selected));
	}
	function fog(pen, frame) {
		const { selected, shown } = state;
		const sheet = penOf(sized(mask, frame.width, frame.height));
		sheet.reset();
		cover(sheet, frame, viewer.inks.fog);
		sheet.globalCompositeOperation = "destination-out";
		for (const object of facts.isAgent[selected] ? [selected] : replay.agents) if (replay.here(object, shown)) sheet.fill(sight(frame, object));
		pen.drawImage(mask, 0, 0);
	}
	function explored(pen, frame) {
		const { selected, shown } = state;
		const seen = Uint8Array.from(replay.explored, (step) => step <= shown);
		if (facts.isAgent[selected]) {
			seen.fill(0);
			replay.location.runs(selected, 0, shown + 1, (start) => {
				const { x, y } = replay.locate(selected, start);
				rows(selected, (row, wide) => {
					const at = (y + row) * width;
					if (at >= 0) seen.fill(1, at + max(0, x - wide), at + min(width, x + wide + 1));
				});
			});
		}
		cells(pen, frame, seen, [viewer.inks.fog]);
	}
	function territory(pen, frame) {
		const holders = Uint16Array.from({ length: width * height }, (_, cell) => replay.territory.at(cell, state.shown));
		pen.globalAlpha = 0.3;
		cells(pen, frame, holders, ["", ...facts.teams.hues.map((hue, team) => state.hidden.has(team) ? "" : teamColour(viewer.inks, hue))]);
	}
	function layCells(pen, { left, top, pitch }, paint) {
		const sheet = penOf(sized(heat, width, height));
		sheet.reset();
		paint(sheet);
		pen.imageSmoothingEnabled = false;
		pen.drawImage(heat, left, top, width * pitch, height * pitch);
	}
	function cells(pen, frame, held, colours) {
		layCells(pen, frame, (sheet) => {
			for (let from = 0, cell = 1; cell <= held.length; cell++) {
				if (cell % width && held[cell] === held[from]) continue;
				const colour = colours[held[from]];
				if (colour) rect(sheet, colour, from % width, floor(from / width), cell - from, 1);
				from = cell;
			}
		});
	}
	function presenceMap(pen, frame) {
		const { advance, counts } = presence ??= presenceOf(replay);
		if (!advance(state.shown, 8)) viewer.invalidate("map");
		layCells(pen, frame, (sheet) => {
			const top = log1p(presence?.peak ?? 0);
			counts.forEach((steps, cell) => {
				sheet.globalAlpha = 0.12 + 0.6 * (log1p(steps) / top);
				if (steps) rect(sheet, viewer.inks.heat, cell % width, floor(cell / width), 1, 1);
			});
		});
	}
	function hits(pen, frame) {
		const { floor: ground, accent } = viewer.inks;
		pen.globalAlpha = 0.72;
		cover(pen, frame, ground);
		pen.globalAlpha = 1;
		const list = matching(facts, state.found, state.shown);
		for (const object of list) {
			drawAt(pen, frame, object);
			if (list.length <= MOST_RINGS) ring(pen, accent, ...centre(frame, place(object)), max(5 * density(), frame.pitch * 0.72), max(1.5 * density(), frame.pitch * 0.06));
		}
	}
	return { trail, target, talk, vision, fog, explored, territory, presenceMap, hits };
}

var [PIPS_FROM, MOST_PIPS] = [24, 6];
var VIBE_FROM = 18;
function mapView(viewer) {
	const { replay, facts, sprites, state, store } = viewer;
	const canvas = h("canvas.map-canvas", { role: "img", label: "Map of the replay" });
	const tip = div("tip");
	const notice = h("div.notice", { role: "status" });
	const still = stillMap(viewer);
	const overlays = overlaysOf(viewer, place, drawAt);
	const view = {
		node: div("map", canvas, tip, notice),
		canvas,
		still,
		place,
		draw,
		zoom,
		hint: "",
		size: { width: 0, height: 0, map: replay.map },
		resize(width, height) {
			view.size = { ...view.size, width, height };
			sized(canvas, width * density(), height * density());
		},
		get camera() {
			const { camera, follow, selected } = state;
			const now = clamp(camera ?? fit(view.size), view.size);
			if (!follow || selected < 0) return now;
			const { x, y } = place(selected);
			return { x: x + 0.5, y: y + 0.5, scale: now.scale };
		},
		set camera(camera) {
			store.set({ camera: clamp(camera, view.size), follow: false });
		}
	};
	listen2();
	const zoomed = () => view.camera.scale > fit(view.size).scale * 1.02;
	function place(object) {
		const { shown, fraction } = state;
		const now = replay.locate(object, shown);
		if (fraction <= 0 || replay.location.mover(object) < 0 || shown + 1 >= replay.steps || !replay.ready(shown + 1)) return now;
		const next = replay.locate(object, shown + 1);
		if (abs(next.x - now.x) + abs(next.y - now.y) > 2) return now;
		return { x: now.x + (next.x - now.x) * fraction, y: now.y + (next.y - now.y) * fraction };
	}
	function draw() {
		const { inks } = viewer;
		const { layers, selected, found } = state;
		const chosen = facts.isAgent[selected];
		const { map } = replay;
		const { width, height } = canvas;
		const { camera } = view;
		const pen = canvas.getContext("2d", { alpha: false });
		const pitch = camera.scale * width / max(1, view.size.width);
		const [left, top] = [round(width / 2 - camera.x * pitch), round(height / 2 - camera.y * pitch)];
		const frame = { pitch, left, top, width, height };
		rect(pen, inks.raised, 0, 0, width, height);
		if (pitch >= PLAIN_BELOW) rect(pen, inks.floor, left, top, round(map.width * pitch), round(map.height * pitch));
		const lay = (wanted, draw2) => {
			if (!wanted) return;
			pen.save();
			draw2(pen, frame);
			pen.restore();
		};
		const { fields } = replay.header;
		lay(true, still.draw);
		lay(layers.territory, overlays.territory);
		lay(layers.heat, overlays.presenceMap);
		lay(true, teamRings);
		lay(layers.trail && chosen, overlays.trail);
		lay(true, drawMovers);
		lay(layers.fog, overlays.fog);
		lay(layers.explored, overlays.explored);
		lay(found, overlays.hits);
		lay(layers.vision && chosen, overlays.vision);
		lay(selected >= 0, drawSelection);
		lay(layers.talk && chosen && fields.has("policy_infos"), overlays.target);
		lay(layers.talk && fields.has("talk_text"), overlays.talk);
		setText(notice, noticeText());
		canvas.style.touchAction = zoomed() ? "none" : "pan-y";
	}
	function teamRings(pen, { left, top, pitch }) {
		for (const object of facts.teamThings) {
			const team = facts.team(object, state.shown);
			if (team < 0 || !replay.here(object, state.shown)) continue;
			const { x, y } = replay.locate(object, state.shown);
			ink(pen, teamColour(viewer.inks, facts.hue(team)), max(1, pitch * 0.1));
			pen.strokeRect(left + x * pitch + 0.5, top + y * pitch + 0.5, pitch - 1, pitch - 1);
		}
	}
	function drawMovers(pen, frame) {
		const { x0, y0, x1, y1 } = visibleCells(view.camera, view.size);
		for (const list of [facts.moving, replay.agents]) {
			for (const object of list) {
				const at = place(object);
				if (at.x >= x0 - 1 && at.y >= y0 - 1 && at.x <= x1 && at.y <= y1 && replay.here(object, state.shown)) drawAt(pen, frame, object);
			}
		}
	}
	function drawAt(pen, { left, top, pitch }, object) {
		const { inks } = viewer;
		const at = place(object);
		const [x, y] = [left + round(at.x * pitch), top + round(at.y * pitch)];
		const size = max(2, round(pitch));
		const colour = viewer.colour(object);
		if (!facts.isAgent[object]) {
			if (size < PLAIN_BELOW) rect(pen, colour, x, y, size, size);
			else pen.drawImage(sprites.thing(facts.sprite(object), inks, size), x, y, size, size);
			return;
		}
		const drawn = max(9 * density(), size);
		const shift = (drawn - size) / 2 + agentPad(drawn);
		const label = drawn >= 13 ? String(replay.agentIds[object]) : "";
		pen.drawImage(sprites.agent(colour, inks, label, drawn, drawn >= 8 ? facts.facing(object, state.shown) : -1), round(x - shift), round(y - shift));
		if (size >= 6) drawBadges(pen, object, x, y, size);
	}
	function drawBadges(pen, object, x, y, size) {
		const { inks } = viewer;
		const { layers } = state;
		const at = (name) => replay.at(name, object, state.shown);
		const unit = max(3, size * 0.17);
		if (at("is_frozen")) {
			pen.globalAlpha = 0.7;
			const iced = drawPicture(pen, "frozen", x, y, size);
			pen.globalAlpha = 1;
			ink(pen, inks.cold, max(1.5, size * 0.1));
			if (!iced) pen.strokeRect(x + 1, y + 1, size - 2, size - 2);
		}
		if (size >= 10 && at("action_success") === 0) {
			const right = x + size - 1.4 * unit;
			ink(pen, inks.bad, max(1.5, size * 0.08));
			line(pen, right, y - unit * 0.2, right + 1.6 * unit, y + unit * 1.4);
			line(pen, right, y + unit * 1.4, right + 1.6 * unit, y - unit * 0.2);
		}
		if (layers.talk && size >= VIBE_FROM) drawVibe(pen, at("vibe_id"), x + size, y + size * 0.8, size * 0.34);
		const reward = at("current_reward");
		if (odd(reward)) write(pen, rewardText(reward), x, y, inks.bad, "left", `600 ${max(9, round(unit * 2))}`);
		else if (reward !== 0) disc(pen, reward > 0 ? inks.good : inks.bad, x + unit * 0.9, y + unit * 0.9, unit * 0.75);
		if (size >= PIPS_FROM && layers.items) drawPips(pen, object, x + size / 2, y + size, round(size * (sprites.atlas ? 0.22 : 0.14)));
	}
	function drawPicture(pen, key, x, y, size) {
		const picture = sprites.picture(key, size);
		if (picture) pen.drawImage(picture, x, y);
		return picture !== null;
	}
	function drawVibe(pen, vibe, right, bottom, side) {
		if (!vibe) return;
		const name = replay.header.vibe_names[vibe] ?? String(vibe);
		const [x, y] = [right - side / 2, bottom - side / 2];
		disc(pen, viewer.inks.page, x, y, side * 0.6);
		if (!drawPicture(pen, `item:${name.replace(/_[a-z]$/, "")}`, round(right - side), round(bottom - side), round(side))) write(pen, name.slice(0, 2), x, y, viewer.inks.talk, "center", `600 ${side * 0.7}`);
	}
	function drawPips(pen, object, middle, bottom, side) {
		const held = facts.holdings(object, state.shown).slice(0, MOST_PIPS);
		held.forEach(([item], i) => {
			const left = round(middle + (i - held.length / 2) * (side + 2));
			if (drawPicture(pen, `item:${replay.header.item_names[item]}`, left - 1, bottom - side, side + 2)) return;
			rect(pen, viewer.inks.page, left - 1, bottom - side, side + 2, side + 2);
			rect(pen, series(viewer.inks, item), left, bottom - side + 1, side, side);
		});
	}
	function drawSelection(pen, frame) {
		const at = centre(frame, place(state.selected));
		const unit = density();
		const { page, text } = viewer.inks;
		ring(pen, page, ...at, max(7 * unit, frame.pitch * 0.66), 5 * unit);
		ring(pen, text, ...at, max(7 * unit, frame.pitch * 0.66), 2.5 * unit);
	}
	function noticeText() {
		const { step } = state;
		const { failed } = replay.chunkOf(step);
		return replay.ready(step) ? view.hint : failed ? `Step ${step} cannot be shown: ${failed}.` : `Loading step ${step}`;
	}
	function pick(px, py) {
		const { camera } = view;
		const cell = toWorld(camera, view.size, px, py);
		const [x, y] = [floor(cell.x), floor(cell.y)];
		const far = (object) => {
			const at = place(object);
			return hypot(at.x + 0.5 - cell.x, at.y + 0.5 - cell.y);
		};
		const found = [...replay.agents, ...facts.moving].filter((object) => far(object) < max(0.6, facts.isAgent[object] * 9 / camera.scale) && replay.here(object, state.shown)).sort((a, b) => facts.isAgent[b] - facts.isAgent[a] || far(a) - far(b));
		facts.each(x, y, x + 1, y + 1, (object) => found.push(object));
		return found;
	}
	function listen2() {
		const held = new Map();
		let moved = false;
		const lift = ({ pointerId }) => held.delete(pointerId);
		set(canvas, {
			onpointerdown: ({ button: button2, pointerId, offsetX: x, offsetY: y }) => {
				if (button2 !== 0) return;
				moved = held.size > 0;
				held.set(pointerId, { x, y });
				canvas.setPointerCapture(pointerId);
			},
			onpointermove: ({ pointerId, pointerType, offsetX: x, offsetY: y }) => {
				const before = held.get(pointerId);
				if (!before) return pointerType === "mouse" && hover(x, y);
				if (!moved && hypot(x - before.x, y - before.y) <= 4) return;
				moved = true;
				held.set(pointerId, { x, y });
				const other = [...held].find(([id]) => id !== pointerId)?.[1];
				if (other) pinch(before, { x, y }, other);
				else if (pointerType !== "touch" || zoomed()) pan(x - before.x, y - before.y);
			},
			onpointerup: (event) => {
				const at = held.get(event.pointerId);
				if (at && !moved) click(at.x, at.y);
				lift(event);
			},
			onpointercancel: lift,
			onpointerleave: () => hover(-1, -1),
			ondblclick: ({ offsetX, offsetY }) => {
				const [object = -1] = pick(offsetX, offsetY);
				if (object < 0) return;
				viewer.select(object);
				if (!state.follow) viewer.toggleFollow();
			}
		});
		canvas.addEventListener("wheel", (event) => {
			if (!event.ctrlKey && !event.metaKey && !canvas.closest(".rv-root")?.matches(":focus-within")) return viewer.hint("Click the map, or hold Ctrl, to zoom with the wheel");
			event.preventDefault();
			zoom(Math.exp(-within(event.deltaY * (event.deltaMode ? 16 : 1), -240, 240) * 22e-4), event.offsetX, event.offsetY);
		}, { passive: false });
	}
	function pan(dx, dy) {
		const { x, y, scale } = view.camera;
		view.camera = { x: x - dx / scale, y: y - dy / scale, scale };
	}
	function pinch(before, now, other) {
		pan((now.x - before.x) / 2, (now.y - before.y) / 2);
		const apart = ({ x, y }) => max(8, hypot(x - other.x, y - other.y));
		zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
	}
	function zoom(factor, x = view.size.width / 2, y = view.size.height / 2) {
		const { node } = view;
		const before = node.clientWidth;
		const camera = zoomAt(view.camera, view.size, factor, x, y);
		store.set({ camera });
		viewer.minimap.fold();
		const wider = node.clientWidth - before;
		if (wider) store.set({ camera: { ...camera, x: camera.x + wider / 2 / camera.scale } });
	}
	function click(x, y) {
		const here = pick(x, y);
		viewer.select(here[(here.indexOf(state.selected) + 1) % here.length] ?? -1);
	}
	function hover(x, y) {
		const [object = -1] = x < 0 ? [] : pick(x, y);
		const over = object >= 0 && facts.sprite(object).kind !== "wall";
		canvas.style.cursor = over ? "pointer" : "";
		if (over) setText(tip, facts.summary(object, state.shown));
		showTip(tip, over, x + 14, y > view.size.height - 58 ? y - 36 : y + 16, view.size.width);
	}
	return view;
}

function viewText(camera, follow) {
	if (!camera) return "";
	return [camera.x, camera.y, camera.scale].map((value) => Number(value.toFixed(2))).join(",") + (follow ? ",follow" : "");
}
function readView(text) {
	const [x, y, scale, follow] = String(text).split(",");
	const camera = { x: Number(x), y: Number(y), scale: Number(scale) };
	const readable = camera.scale > 0 && Number.isFinite(camera.x + camera.y);
	return { camera: readable ? camera : null, follow: readable && follow === "follow" };
}
function shareText(place) {
	return String(new URLSearchParams(Object.entries(place).filter(([, value]) => value || value === 0)));
}
function readShare(text) {
	const values = new URLSearchParams(text.slice(0, 2e3).trim().replace(/^[^=?#]*[?#]/, ""));
	const whole = (key) => /^\d{1,15}$/.test(values.get(key) ?? "") ? Number(values.get(key)) : void 0;
	return { step: whole("step"), selected: whole("selected"), view: values.get("view") ?? void 0 };
}

var FOOT = 28;
var METTASCOPE = "https://metta-ai.github.io/metta/mettascope/mettascope.html?replay=";
function menu(name, label, ...content) {
	const summary = h("summary.button", { title: label }, icon(name), label);
	const details = h("details.menu", {
		onfocusout: ({ relatedTarget }) => {
			if (relatedTarget && !details.contains(relatedTarget)) details.open = false;
		},
		onkeydown: (event) => {
			if (event.key === "Escape" && !details.open) return;
			event.stopPropagation();
			if (event.key !== "Escape") return;
			details.open = false;
			summary.focus();
		}
	}, summary, h("div.menu-box", { tabindex: -1 }, ...content));
	return details;
}
function layerMenu({ store, replay }) {
	return menu("layers", "Show", ...replay.header.layers.map(([key, label]) => checkbox((on) => store.set({ layers: { ...store.state.layers, [key]: on } }), store.state.layers[key] === true, label)));
}
function shareMenu(viewer) {
	const input = h("input.share-text", { type: "text", label: "This place as text", spellcheck: "false" });
	const said = h("span.muted", { role: "status" });
	const fresh = () => {
		input.value = shareText(viewer.place);
		setText(said, "");
	};
	const copy = async () => {
		fresh();
		input.select();
		const done = await navigator.clipboard?.writeText(input.value).then(() => true, () => false) || document.execCommand("copy");
		setText(said, done ? "Copied" : "Selected: copy it with Ctrl+C");
	};
	const { url } = viewer.options;
	return set(menu("share", "Share", h("label.menu-label", {}, "This place: step, selection and view", input), div("row", button("Copy the place", copy), button("Go to the place", () => viewer.go(readShare(input.value))), said), h("hr"), div("row", button("Save the map as PNG", () => savePicture(viewer)), url ? h("a.action", { href: METTASCOPE + encodeURIComponent(url), target: "_blank", rel: "noopener noreferrer" }, "Open in MettaScope") : null), h("hr"), terms(viewer.replay.header.keys, "keys")), { ontoggle: fresh });
}
function savePicture(viewer) {
	const { map, inks, options, replay, facts } = viewer;
	const { canvas, size } = map;
	const { shown, selected } = viewer.state;
	const ratio = canvas.width / max(1, size.width);
	const copy = newCanvas(canvas.width, canvas.height + FOOT * ratio);
	const pen = penOf(copy);
	map.draw();
	rect(pen, inks.page, 0, 0, copy.width, copy.height);
	pen.drawImage(canvas, 0, 0);
	pen.scale(ratio, ratio);
	const parts = [options.title, `step ${count(shown)} of ${count(replay.steps - 1)}`, selected >= 0 && facts.title(selected)];
	write(pen, joined(parts, " · "), 10, size.height + FOOT / 2, inks.text, "left", "13");
	copy.toBlob((blob) => {
		if (!blob) return viewer.hint("The picture could not be made");
		const name = options.title.replace(/[^\w.-]+/g, "-").slice(0, 60) || "replay";
		const link = h("a", { href: URL.createObjectURL(blob), download: `${name}-step-${shown}.png` });
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 1e4);
	});
}

function changes() {
	let before = [];
	return (...now) => {
		const changed = now.some((each, i) => each !== before[i]);
		before = now;
		return changed;
	};
}
function strip(canvas, height, drawBackdrop) {
	let backdrop = null;
	return {
		width: 0,
		resize(width) {
			this.width = width;
			backdrop = null;
		},
		forget() {
			backdrop = null;
		},
		start() {
			const pen = prepare(canvas, this.width, height);
			if (!backdrop) {
				backdrop = newCanvas(1);
				drawBackdrop(prepare(backdrop, this.width, height));
			}
			pen.drawImage(backdrop, 0, 0, this.width, height);
			return pen;
		}
	};
}

var SCORE_MS = 500;
function scorePanel(viewer) {
	const { replay, facts, state, store } = viewer;
	const items = replay.header.scored.slice(0, 1);
	const heads = ["agents", "reward", "mean", ...items.map((item) => facts.itemName(item)), ...facts.teamThings.length ? ["things"] : []];
	const rows = new Map();
	const changed = changes();
	let drawnAt = 0;
	const all = div("score");
	const body = h("tbody");
	const table = h("table.table", { label: "Teams" }, h("thead", {}, h("tr.muted", {}, ...["team", ...heads].map((head) => h("th", { scope: "col" }, head)))), body);
	function update() {
		const now = performance.now();
		if (state.playing && now - drawnAt < SCORE_MS) return;
		drawnAt = now;
		if (!changed(state.shown, replay.ready(state.shown), state.hidden, viewer.inks)) return;
		const [sum, mean, ...held] = numbers(replay.agents);
		const score = hasRewards(replay) ? `reward ${sum}, ${mean} an agent` : "no reward is recorded";
		setText(all, joined([score, ...held.map((amount) => `${amount} ${heads[3]}`)], " · "));
		if (!facts.teams.several) return;
		const teams = groups(facts, "team", state.shown, new Set());
		arrange(body, ranked(teams, ({ agents }) => -total(agents), ({ team }) => team).map(rowOf));
	}
	const total = (agents) => sumOf(agents, (object) => replay.total(object, state.shown));
	function numbers(agents) {
		const reward = total(agents);
		const rewards = hasRewards(replay) ? [reward, reward / agents.length].map(totalText) : [MISSING, MISSING];
		return [...rewards, ...items.map((item) => number(sumOf(agents, (object) => replay.held(object, item, state.shown))))];
	}
	function rowOf({ name, agents, team }) {
		let row = rows.get(team);
		if (!row) {
			const show = (on) => store.set({ hidden: new Set(on ? [...state.hidden].filter((each) => each !== team) : [...state.hidden, team]) });
			row = h("tr", {}, h("td", {}, checkbox(show, true, span("dot"), name)), ...heads.map(() => h("td")));
			rows.set(team, row);
		}
		const [box, dot] = row.querySelectorAll("input, span");
		box.checked = !state.hidden.has(team);
		set(dot, { style: `background:${teamColour(viewer.inks, facts.hue(team))}` });
		const { cells } = row;
		const things = [...facts.teamThings].filter((object) => facts.team(object, state.shown) === team && replay.here(object, state.shown)).map((object) => facts.sprite(object).name);
		[String(agents.length), ...numbers(agents), ...heads.at(-1) === "things" ? [number(things.length)] : []].forEach((text, i) => setText(cells[i + 1], text));
		set(cells[heads.length], { title: joined([...new Set(things)].map((name2) => `${things.filter((each) => each === name2).length} ${words(name2)}`)) });
		return row;
	}
	return { node: div("scores", all, facts.teams.several ? h("div.team-rows", {}, table) : null), update };
}

var ROW = 28;
var SPARE = 4;
var MODES = {
	now: ["held now", ({ inventory }, pair, step) => inventory.at(pair, step)],
	final: ["held at the end", ({ inventory }, pair) => inventory.last(pair)],
	gained: ["gained in total", ({ base, inventory }, pair) => base.numbers("inventory.g")[inventory.mover(pair)] ?? 0]
};
function agentTable(viewer) {
	const { replay, facts, state } = viewer;
	const { scored } = replay.header;
	const order = [...replay.agents];
	let mode = "now";
	let [sortedBy, ascending] = ["agent", true];
	let columns = [];
	const scores = scorePanel(viewer);
	const head = h("tr");
	const [above, below] = [h("tr.spacer"), h("tr.spacer")];
	const body = h("tbody", {}, above, below);
	const scroller = h("div.scroll", { tabindex: 0, role: "region", label: "Agent table", onscroll: update }, h("table.table", { label: "Agents", "aria-rowcount": order.length + 1 }, h("thead", {}, head), body));
	const modes = choice("Items", Object.keys(MODES).map((each) => [each, MODES[each][0]]), (chosen) => {
		mode = chosen;
		build();
	});
	build();
	function build() {
		const total = replay.field("total_reward");
		const items = scored.map(itemColumn);
		const all = [
			{ title: "agent", hint: "Agent number", value: (object) => replay.agentIds[object], text: String },
			total.present && { title: "total", hint: "Reward up to this step", value: (object) => replay.total(object, state.shown), text: totalText },
			total.present && { title: "final", hint: "Reward of the whole episode", value: (object) => total.last(object), text: totalText },
			...items.slice(0, 2),
			{ title: "doing", hint: "Action at this step", wide: true, value: (object) => replay.at("action", object, state.shown), text: (_, object) => replay.here(object, state.shown) ? facts.actionText(object, state.shown) : "dead" },
			total.present && { title: "reward", hint: "Reward at this step", value: (object) => replay.at("current_reward", object, state.shown), text: (_, object) => rewardAt(replay, object, state.shown) },
			...items.slice(2)
		];
		columns = all.filter((column) => column !== false);
		refill(head, ...columns.map(heading));
		update();
	}
	function heading({ title, hint, wide }) {
		const sorted = title !== sortedBy ? "none" : ascending ? "ascending" : "descending";
		const press = () => {
			ascending = title === sortedBy ? !ascending : wide === true || title === "agent";
			sortedBy = title;
			build();
		};
		return h(wide ? "th.left" : "th", { scope: "col", "aria-sort": sorted }, button(title, press, "sort", { title: hint }));
	}
	function itemColumn(item) {
		const title = facts.itemName(item);
		const [words2, amount] = MODES[mode];
		const value = (object) => {
			const pair = replay.pair(object, item);
			return pair < 0 ? 0 : amount(replay, pair, state.shown);
		};
		return { title, hint: `${title}: ${words2}`, value, text: (held) => held === 0 ? "" : number(held) };
	}
	function update() {
		scores.update();
		sort();
		const first = viewer.onPaper ? 0 : max(0, floor(scroller.scrollTop / ROW) - SPARE);
		const rows = order.slice(first, viewer.onPaper ? order.length : first + ceil(max(120, scroller.clientHeight) / ROW) + 2 * SPARE);
		while (body.rows.length > rows.length + 2) body.rows[1].remove();
		while (body.rows.length < rows.length + 2) {
			const row = h("tr", { onclick: () => viewer.select(Number(row.dataset.object)) }, h("td", {}, span("dot"), h("span")), ...columns.slice(1).map(({ wide }) => h(wide ? "td.left" : "td")));
			below.before(row);
		}
		above.style.height = `${first * ROW}px`;
		below.style.height = `${(order.length - first - rows.length) * ROW}px`;
		rows.forEach((object, i) => {
			const row = set(body.rows[i + 1], { "data-object": object, "aria-rowindex": first + i + 2, "aria-selected": String(state.selected === object) });
			const [dot, label] = row.cells[0].children;
			set(dot, { style: `background:${viewer.colour(object)}` });
			columns.forEach(({ text, value }, at) => setText(at ? row.cells[at] : label, text(value(object), object)));
		});
	}
	function sort() {
		const column = columns.find(({ title }) => title === sortedBy);
		ranked(order, (object) => (column?.value(object) ?? 0) * (ascending ? 1 : -1), (object) => replay.agentIds[object]);
	}
	return { node: div("panel-fill", scores.node, h("label.panel-bar", { hidden: !scored.length }, span("muted", "Items"), modes), scroller), update };
}

var TRICKLE = 0.2;
function activity(facts, object, from, to) {
	const lines = [];
	let reward = 0;
	for (let step = max(0, from); step < min(facts.replay.steps, to); step++) {
		if (!facts.replay.ready(step)) continue;
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
	const reward = replay.ready(step) ? replay.at("current_reward", object, step) : 0;
	return { from: step, to: step, action: facts.actionText(object, step), failed: replay.at("action_success", object, step) === 0, reward, notes: notesAt(facts, object, step) };
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
	return joined([`${title}, step ${count(line2.from)}`, line2.action + (line2.failed ? ", failed" : ""), line2.reward !== 0 && `reward ${rewardText(line2.reward)}`, ...line2.notes], "\n");
}

var MOST = 300;
function ruleItem(viewer, { takes, gives, lines }) {
	const [paid, got] = [takes, gives].map((amounts) => amounts.map(([item, text]) => viewer.itemEntry(item, text)));
	return h("li.rule", {}, div("row", ...paid, takes.length + gives.length ? span("muted", "→") : null, ...got), ...lines.map((line2, i) => div(i ? "muted" : "", line2)));
}
var ruleSection = (viewer, title, rules) => rules.length ? section(title, h("ul.rules", {}, ...rules.map((rule) => ruleItem(viewer, rule)))) : null;
function rulesPanel(viewer) {
	const { state, sprites, replay } = viewer;
	const { rules } = replay.header;
	const node = region("Rules of the game");
	const changed = changes();
	function update() {
		const { found, layers } = state;
		if (!changed(found, layers, sprites.url)) return;
		const wanted = found ? rules.filter(found.tells) : rules;
		const groups2 = Map.groupBy(wanted.slice(0, MOST), ({ title }) => title);
		const left = wanted.length - MOST;
		fill(node, ...[...groups2].map(([title, some]) => ruleSection(viewer, title, some)), left > 0 ? note(`and ${plural(left, "more rule")}: search for it`) : null, wanted.length ? null : note("No rule speaks of what is searched for."));
	}
	return { node, update };
}

var [BEFORE, AFTER] = [60, 30];
var [LINES_BEFORE, LINES_AFTER] = [5, 4];
function objectPanel(viewer) {
	const { replay, facts, state, sprites } = viewer;
	const { header } = replay;
	const node = region("Selected object");
	const parts = new Map();
	function update() {
		const nodes = state.selected < 0 ? [part("none", [], () => note("Nothing is selected. Click the map, or a row."))] : all();
		arrange(node, nodes.filter((each) => each !== null));
	}
	function all() {
		const { selected, shown } = state;
		const pictures = [sprites.url, sprites.plain, viewer.theme];
		const [now, own] = [facts.isAgent[selected] ? [linesAround(), shown] : null, [facts.rules(selected, shown), pictures]];
		return [part("title", titleOf(), drawTitle), part("activity", now, drawActivity), part("facts", rowsOf(), (rows) => terms(rows)), part("inventory", [inventoryOf(), pictures], drawInventory), part("rules", own, ([rules]) => ruleSection(viewer, "What it does", rules))];
	}
	function part(name, of, make2) {
		const text = JSON.stringify(of);
		const before = parts.get(name);
		if (before?.of === text) return before.node;
		const made = of === null ? null : make2(of);
		parts.set(name, { of: text, node: made });
		return made;
	}
	const at = (name) => replay.at(name, state.selected, state.shown);
	const list = (name) => replay.tableList(name, state.selected, state.shown);
	function fields(flags) {
		const some = [...header.fields].filter(([, { kind, words: words2 }]) => words2 && kind === "bool" === flags);
		return some.map(([name, { words: words2 }]) => [words2, at(name)]).filter(([, value]) => value);
	}
	function titleOf() {
		const { selected, shown } = state;
		const removed = replay.here(selected, shown) ? [] : ["removed"];
		return [viewer.colour(selected), facts.title(selected), facts.teamName(selected, shown), ...removed, ...fields(true).map(([words2]) => words2)];
	}
	const drawTitle = ([colour, name, team, ...flags]) => div("object-title", h("span.dot", { style: `background:${colour}` }), h("h3", {}, name), span("muted", team), ...flags.map((flag) => span("chip", flag)));
	function rowsOf() {
		const { selected, shown } = state;
		const { x, y } = replay.locate(selected, shown);
		const rows = [["cell", `${x}, ${y}`]];
		if (facts.isAgent[selected]) {
			const [sum, last] = [replay.total(selected, shown), replay.field("total_reward").last(selected)].map(totalText);
			rows.push(["reward", hasRewards(replay) ? `${rewardAt(replay, selected, shown)} now, ${sum} so far, ${last} at the end` : "not recorded"]);
		}
		if (replay.field("vibe_id").present) rows.push(["vibe", facts.vibeName(at("vibe_id"))]);
		for (const [words2, value] of fields(false)) rows.push([words2, number(value)]);
		const tags = list("tag_ids");
		if (tags.length) rows.push(["tags", joined(tags)]);
		return [...rows, ["type, id", `${facts.sprite(selected).name}, ${replay.ids[selected]}`]];
	}
	function inventoryOf() {
		const { selected, shown } = state;
		const limits = list("inventory_capacities");
		const pairs = replay.pairsOf(selected).map((pair) => ({ item: replay.pairItems[pair], amount: replay.inventory.at(pair, shown) }));
		const shared = limits.filter(({ item }) => item < 0).map(({ name, limit, items }) => ({ name, item: -1, amount: items && pairs.reduce((sum, { item, amount }) => sum + (items.includes(item) ? amount : 0), 0), limit }));
		const own = pairs.map(({ item, amount }) => ({ name: facts.itemName(item), item, amount, limit: limits.find((each) => each.item === item)?.limit }));
		const rows = [...shared, ...own.filter(({ amount, limit }) => amount || limit !== void 0)];
		return !rows.length && !facts.isAgent[selected] ? null : rows;
	}
	const drawInventory = ([rows]) => rows && section("Inventory", ...rows.length ? rows.map(inventoryRow) : [note("Holds nothing at this step.")]);
	function inventoryRow({ name, item, amount, limit }) {
		const bar = limit === void 0 || amount === null ? h("span") : span("bar", h("span.bar-part", { style: `width:${min(100, 100 * amount / (limit || 1))}%` }));
		const text = amount === null ? `at most ${number(limit)}` : number(amount) + (limit === void 0 ? "" : ` / ${number(limit)}`);
		return div("inventory-row", item < 0 ? span("muted", amount === null ? `${name} in all` : name) : viewer.itemEntry(item, name), bar, span("number", text));
	}
	function linesAround() {
		const lines = activity(facts, state.selected, state.shown - BEFORE, state.shown + AFTER);
		const here = max(0, lines.findIndex(({ to }) => to >= state.shown));
		return lines.slice(max(0, here - LINES_BEFORE), here + LINES_AFTER + 1);
	}
	const drawActivity = ([lines]) => section("What it did", div("activity", ...lines.map(drawLine)));
	function drawLine({ from, to, action, failed, reward, notes }) {
		const many = to > from;
		const when = from > state.shown ? "" : to < state.shown ? "past" : "now";
		return activityLine(count(from) + (many ? `–${count(to)}` : ""), action + (many ? ` ×${to - from + 1}` : ""), joined([failed && "failed", reward !== 0 && `reward ${rewardText(reward)}`, ...notes]), () => viewer.seek(from), when, failed || reward < 0 || odd(reward) ? "lost" : reward > 0 ? "won" : "");
	}
	return { node, update };
}
function activityLine(when, what, more, onclick, ...classes) {
	return h(joined(["button.line", ...classes], "."), { type: "button", onclick }, span("line-step", when), span("line-action", what), span("line-note", more));
}

var TALK_LINES = 40;
var LONGEST = 2e4;
var [MOST_ROWS, SHORT, DEEPEST] = [100, 40, 6];
var CONFIG_CHARS = 4e5;
function textPanel(viewer) {
	const { replay, facts, state, texts } = viewer;
	const node = region("Talk and policy notes");
	const changed = changes();
	function update() {
		const { shown, selected } = state;
		const { failed, columns } = texts.part(shown) ?? { failed: "", columns: null };
		const rows = columns && selected >= 0 ? rowsOf(selected, shown) : null;
		const talk = columns ? texts.recentTalk(shown, TALK_LINES) : [];
		if (!changed(failed, columns, selected, JSON.stringify([rows, talk.map(({ step, object }) => [step, object])]))) return;
		if (failed) refill(node, ...failure(failed, again));
		else if (!columns) refill(node, note("Loading the texts"));
		else refill(node, rows ? notesOf(selected, rows) : note("Select an agent to read its policy notes."), talkOf(talk));
	}
	function again() {
		for (const part of replay.texts) part.failed = "";
		update();
	}
	function rowsOf(object, step) {
		const [notes, says, thinks] = ["policy_infos", "talk_text", "monologue_append"].map((name) => texts.at(name, object, step));
		const all = { says, thinks, ...notes && typeof notes === "object" ? notes : { note: notes } };
		return visible(all).filter(([, value]) => value !== null && value !== "").slice(0, MOST_ROWS);
	}
	function notesOf(object, rows) {
		const list = terms(rows.map(([key, value]) => [words(key), tree(value, 0)]));
		list.classList.add("rv-notes");
		return section(facts.title(object), rows.length ? list : note("No text at this step."));
	}
	function talkOf(talk) {
		const lines = talk.map(({ step, object, text }) => activityLine(count(step), facts.title(object), text, () => {
			viewer.select(object);
			viewer.seek(step);
		}));
		return lines.length ? section("Talk so far", div("activity", ...lines)) : null;
	}
	return { node, update };
}
var visible = (value) => Object.entries(value).filter(([key]) => !key.startsWith("__"));
function tree(value, depth) {
	if (typeof value === "string") return value.slice(0, LONGEST).trim();
	const entries = visible(value ?? {});
	const flat = JSON.stringify(value);
	if (!entries.length || flat.length <= SHORT || depth >= DEEPEST) return flat.slice(0, LONGEST);
	const more = entries.length - MOST_ROWS;
	const list = terms(entries.slice(0, MOST_ROWS).map(([key, each]) => [words(key), tree(each, depth + 1)]));
	return h("details", { open: depth === 0 }, h("summary", {}, plural(entries.length, "value")), list, more > 0 ? note(`and ${plural(more, "more value")}`) : null);
}
function aboutPanel({ replay }) {
	const config = h("div", {}, button("Show the configuration", load));
	async function load() {
		refill(config, note("Loading"));
		try {
			const text = JSON.stringify(parseJson(await replay.raw(replay.config)), null, 2);
			fill(config, h("pre.code", {}, text.length > CONFIG_CHARS ? `${text.slice(0, CONFIG_CHARS)}…` : text));
		} catch (error) {
			fill(config, ...failure(reason(error), load));
		}
	}
	return { node: region("About this replay", ...replay.header.about.map(built), replay.config ? section("Configuration", config) : null), update() {} };
}
function built(element) {
	if (typeof element === "string") return element;
	const [selector, ...parts] = element;
	return h(selector, {}, ...parts.map(built));
}

function panels(viewer) {
	const { replay, state, store } = viewer;
	const { rules, issues } = replay.header;
	const all = [
		["agents", "Agents", agentTable(viewer)],
		["selected", "Selected", objectPanel(viewer)],
		["rules", "Rules", rules.length > 0 && rulesPanel(viewer)],
		["text", "Talk", replay.texts.length > 0 && textPanel(viewer)],
		["about", issues ? `About (${plural(issues, "issue")})` : "About", aboutPanel(viewer)]
	];
	const tabs = h("div.tabs", { role: "tablist", label: "Panels", onkeydown: move });
	const panel = h("div.panel", { role: "tabpanel" });
	show();
	function show() {
		refill(tabs, ...all.map(([tab, name, made]) => made && button(name, () => store.set({ tab }), "tab", { role: "tab", "aria-selected": String(tab === state.tab), tabindex: tab === state.tab ? 0 : -1 })).filter((each) => each !== false));
		fill(panel, shown()?.node ?? null);
	}
	function shown() {
		return all.find(([tab]) => tab === state.tab)?.[2] || null;
	}
	function move({ key }) {
		const buttons = [...tabs.children];
		const at = buttons.findIndex((each) => each.ariaSelected === "true");
		const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[key];
		if (to === void 0) return;
		buttons.at(to % buttons.length)?.click();
		tabs.querySelector("[aria-selected=true]")?.focus();
	}
	return { nodes: [tabs, panel], show, update: () => shown()?.update() };
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
		if (ready(floor(wanted))) this.position = wanted;
		const ahead = min(steps - 1, floor(wanted + max(64, speed * 2)));
		for (const step2 of [floor(wanted), ahead]) if (!ready(step2)) reels.forEach((reel) => reel.load(step2));
		const step = floor(this.position);
		return { step, fraction: speed > SMOOTH_UP_TO || step >= steps - 1 ? 0 : this.position - step, ended: step >= steps - 1 };
	}
};
var clampSpeed = (speed) => Number.isFinite(speed) ? within(speed, 0.1, 1e3) : 10;

var FIND = "Find type, item, agent";
function searchBox(viewer) {
	const { facts, state, store, replay } = viewer;
	const { suggested, hash, rules } = replay.header;
	const list = `rv-names-${hash}`;
	const told = h("span.found.muted", { role: "status" });
	const box = h("input.search", { type: "search", placeholder: FIND, label: FIND, list, oninput: find, onkeydown: press });
	const hits = () => state.found ? matching(facts, state.found, state.shown) : [];
	function find() {
		const found = search(facts, box.value);
		store.set(found?.verb && rules.length ? { found, tab: "rules" } : { found });
	}
	function press(event) {
		const { key, shiftKey } = event;
		if (key === "Escape") {
			if (end()) event.stopPropagation();
			viewer.focus();
		}
		const all = key === "Enter" ? hits() : [];
		const next = all[(all.indexOf(state.selected) + (shiftKey ? all.length - 1 : 1)) % all.length];
		if (next === void 0) return;
		viewer.select(next);
		const { x, y } = viewer.map.place(next);
		if (state.camera) viewer.map.camera = { ...state.camera, x: x + 0.5, y: y + 0.5 };
	}
	function end() {
		const was = box.value !== "";
		box.value = "";
		store.set({ found: null });
		return was;
	}
	return {
		end,
		nodes: [told, h("label.search-wrap", {}, icon("search"), box, h("datalist", { id: list }, ...suggested.map((value) => h("option", { value }))))],
		update() {
			const n = hits().length;
			setText(told, n ? `${count(n)} found` : state.found ? "none found" : "");
		}
	};
}

var LIMIT = 112;
function smallMap(viewer) {
	const { replay, state } = viewer;
	const scale = LIMIT / max(replay.map.width, replay.map.height);
	const [width, height] = [replay.map.width, replay.map.height].map((cells) => max(8, round(cells * scale)));
	return {
		scale,
		canvas: (classes) => h(`canvas.${classes}`, { style: `width:${width}px;height:${height}px` }),
		draw(canvas, step) {
			const pen = prepare(canvas, width, height);
			pen.imageSmoothingEnabled = scale < 1;
			pen.drawImage(viewer.map.still.picture(), 0, 0, width, height);
			for (const object of replay.agents) {
				if (!replay.here(object, step)) continue;
				const { x, y } = replay.locate(object, step);
				const chosen = object === state.selected;
				const side = max(2, scale) + (chosen ? 2 : 0);
				rect(pen, chosen ? viewer.inks.text : viewer.colour(object, step), (x + 0.5) * scale - side / 2, (y + 0.5) * scale - side / 2, side, side);
			}
			return pen;
		}
	};
}
function minimap(viewer) {
	const { small, map, replay } = viewer;
	const { scale } = small;
	const node = set(small.canvas("minimap"), { label: "Whole map; press to move there" });
	onDrag(node, (x, y) => {
		map.camera = { x: x / scale, y: y / scale, scale: map.camera.scale };
	});
	const fold = () => {
		const seen = visibleCells(map.camera, map.size);
		node.hidden = (seen.x1 - seen.x0) * (seen.y1 - seen.y0) === replay.map.width * replay.map.height;
		return seen;
	};
	const draw = () => {
		const { x0, y0, x1, y1 } = fold();
		if (node.hidden) return;
		const pen = small.draw(node, viewer.state.shown);
		ink(pen, viewer.inks.accent, 1.5);
		pen.strokeRect(x0 * scale + 0.75, y0 * scale + 0.75, max(3, (x1 - x0) * scale - 1.5), max(3, (y1 - y0) * scale - 1.5));
	};
	return { node, draw, fold };
}

var Store = class {
	state = { step: 0, shown: 0, fraction: 0, selected: -1, playing: false, loop: false, speed: 10, camera: null, follow: false, layers: { trail: true, items: true, grid: true, talk: true }, found: null, tab: "agents", measure: "reward", by: "all", hidden: new Set() };
	listeners = new Set();
	set(patch) {
		const changed = Object.keys(patch).filter((key) => this.state[key] !== patch[key]);
		Object.assign(this.state, patch);
		if (changed.length) for (const listener of this.listeners) listener(changed);
	}
};

var Track = class {
	constructor(from, starts, steps, value, row = value) {
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
			if (until > start) visit(start, until, this.value(mover, point));
			[start, point] = [until, next];
		}
	}
};
function decodeTrack(columns, name, kind, movers, from) {
	const starts = new Uint32Array(movers + 1);
	starts.set(columns.numbers(`${name}.n`), 1);
	for (let i = 1; i <= movers; i++) starts[i] += starts[i - 1];
	const steps = accumulate(columns.numbers(`${name}.s`), starts, new Uint32Array(movers));
	const [value, row] = (kind === "xy" ? ["x", "y"] : [""]).map((axis) => {
		const keys = columns.numbers(`${name}.k${axis}`);
		const values = columns.numbers(`${name}.v${axis}`);
		if (kind === "bool") return ((mover, point) => keys[mover] ^ (point < 0 ? 0 : point - starts[mover] + 1 & 1));
		const distinct = columns.numbers(`${name}.u`);
		const held = /xy|delta/.test(kind) ? accumulate(values, starts, keys) : values;
		return ((mover, point) => point < 0 ? keys[mover] : distinct.length ? distinct[held[point]] : held[point]);
	});
	return new Track(from, starts, steps, value, row);
}
function accumulate(deltas, starts, keys) {
	const values = new Int32Array(deltas.length);
	keys.forEach((value, mover) => {
		for (let i = starts[mover]; i < starts[mover + 1]; i++) values[i] = value += deltas[i];
	});
	return values;
}

var Texts = class {
	constructor(replay) {
		this.replay = replay;
	}
	part(step) {
		const part = this.replay.texts.find(({ from, to }) => step >= from && step < to);
		if (part) this.replay.fetch(part);
		return part;
	}
	field(name, step) {
		const part = this.part(step);
		if (!part?.columns?.directory[`${name}.i`]) return null;
		const { columns, tracks, from } = part;
		let field = tracks.get(name);
		if (!field) {
			const objects = columns.sums(`${name}.i`);
			field = { objects, track: decodeTrack(columns, name, "int", objects.length, from), table: columns.json(`${name}.table`) };
			tracks.set(name, field);
		}
		return field;
	}
	at(name, object, step) {
		const field = this.field(name, step);
		return field?.table[field.track.at(field.objects.indexOf(object), step)] ?? null;
	}
	target(object, step) {
		const [y, x, ...more] = [this.at("policy_infos", object, step)?.target ?? []].flat();
		return Number.isFinite(x) && Number.isFinite(y) && !more.length ? { x, y } : null;
	}
	recentTalk(step, limit) {
		const field = this.field("talk_text", step);
		const lines = [];
		field?.objects.forEach((object, mover) => field.track.runs(mover, field.track.from, step + 1, (start, until, value) => {
			if (field.table[value]) lines.push({ step: start, until, object, text: String(field.table[value]) });
		}));
		return lines.sort((a, b) => b.step - a.step).slice(0, limit);
	}
};

var LEFT = 90;
var [RIGHT, RAIL, LANE, CAPTION, CHART, FOOT2] = [12, 20, 13, 22, 44, 16];
var stop = (event) => event.stopPropagation();
function timelineView(viewer, full) {
	const { replay, facts, state, store, small } = viewer;
	const reward = overview(replay, "sum");
	const lanes = replay.header.events.filter(([, , colour]) => full && colour);
	const top = RAIL + lanes.length * LANE + CAPTION;
	const bottom = top + CHART;
	const height = bottom + FOOT2;
	let hover = -1;
	let agent = null;
	const axis = { left: LEFT, width: 1, steps: viewer.steps };
	const at = (step) => xOf(axis, step);
	const canvas = h("canvas.timeline-canvas");
	const kept = strip(canvas, height, drawBackdrop);
	const preview = small.canvas("preview-map");
	const previewText = h("div");
	const tip = div("tip", preview, previewText);
	const measure = choice("Quantity of the chart", replay.header.quantities, (value) => store.set({ measure: value }));
	const by = choice("Lines of the chart", replay.header.groupings, (value) => store.set({ by: value }));
	by.value = state.by;
	const item = h("span");
	const bar = h("div.chart-bar", { hidden: !full, style: `top:${top - CAPTION}px;left:${LEFT}px`, onpointerdown: stop, onpointermove: stop, onkeydown: stop }, item, measure, by);
	const node = h("div.timeline", { role: "slider", tabindex: 0, style: `height:${height}px`, label: "Step", "aria-valuemax": viewer.steps - 1, onpointerleave: hideTip }, canvas, tip, bar);
	onDrag(node, (x) => {
		hideTip();
		viewer.seek(stepAt(axis, x));
	}, (x) => hoverAt(stepAt(axis, x), x));
	function stepsOf(kind) {
		const counts = overview(replay, kind);
		return agent?.events[kind] ?? [...counts.keys()].filter((bin) => counts[bin]).map((bin) => binStart(bin, counts.length, replay.steps));
	}
	function drawBackdrop(pen) {
		const { selected } = state;
		const { muted } = viewer.inks;
		if (full && facts.isAgent[selected]) agent = { object: selected, events: agentEvents(replay, selected), rewards: rewardBins(replay, selected, reward.length || 1) };
		lanes.forEach(([kind, words2, colour], row) => drawLane(pen, kind, kind === "talk" ? words2 : `${words2}s`, viewer.inks[colour], RAIL + row * LANE));
		drawChart(pen);
		const y = height - 6;
		for (const step of ticks(axis)) {
			const x = at(step);
			rect(pen, muted, round(x), y - 9, 1, 3);
			write(pen, count(step), x, y, muted, step === 0 ? "left" : x > kept.width - 40 ? "right" : "center");
		}
		write(pen, "step", LEFT - 8, y, muted);
	}
	function mark(pen, colour, steps, y, tall) {
		for (const step of steps) rect(pen, colour, round(at(step)) - 1, y, 2, tall);
	}
	function drawLane(pen, kind, words2, colour, y) {
		const counts = overview(replay, kind);
		const { high } = extent(counts);
		write(pen, words2, LEFT - 8, y + LANE / 2 + 0.5, viewer.inks.muted);
		counts.forEach((n, bin) => {
			pen.globalAlpha = (agent ? 0.3 : 1) * (0.4 + 0.6 * (n / high));
			if (n > 0) rect(pen, colour, at(binStart(bin, counts.length, axis.steps)), y + 2, max(1, axis.width / counts.length), LANE - 4);
		});
		pen.globalAlpha = 1;
		mark(pen, colour, agent?.events[kind] ?? [], y, LANE - 1);
	}
	function ownLines() {
		const { inks } = viewer;
		const some = groups(facts, state.by, state.shown, state.hidden);
		const line2 = (name, agents, colour) => ({ name, values: curve(facts, state.measure, agents), steps: replay.steps, colour });
		const coloured = (team, i) => state.by === "team" ? teamColour(inks, facts.hue(team)) : state.by === "agent" && some.length <= inks.series.length ? series(inks, i) : inks.muted;
		const lines = some.map(({ name, agents, team }, i) => line2(name, agents, coloured(team, i)));
		return agent ? [...lines, line2(facts.title(agent.object), [agent.object], inks.text)] : lines;
	}
	function drawChart(pen) {
		const { inks, lines = ownLines() } = viewer;
		const { left, width } = axis;
		const { low, high } = extent(...lines.map(({ values }) => values));
		const y = (value) => bottom - (value - low) / (high - low) * CHART;
		let right = left + width;
		const rewards = !full || /reward|total/.test(state.measure);
		const lacking = rewards && !hasRewards(replay) ? "no reward is recorded" : lines.some(({ values }) => values.some((value) => value !== 0)) ? "" : rewards ? "no reward" : "none at any step";
		if (lacking) return write(pen, lacking, right, top - 7, inks.muted);
		write(pen, number(high), LEFT - 8, top + 4, inks.muted);
		write(pen, number(low), LEFT - 8, bottom - 4, inks.muted);
		rect(pen, inks.hairline, left, round(y(0)), width, 1);
		for (const each of lines) stroke(pen, each, y);
		for (const { name, colour } of lines.toReversed()) {
			if (lines.length > 2 && colour === inks.muted) break;
			pen.font = "11" + FAMILY;
			const wide = pen.measureText(name).width + 14;
			if (right - wide < left + bar.offsetWidth) break;
			write(pen, name, right, top - 7, colour);
			right -= wide;
		}
		if (full && rewards) mark(pen, inks.bad, stepsOf("penalty"), bottom - 6, 6);
		if (rewards) markOdd(pen, lines);
	}
	function markOdd(pen, lines) {
		const { bad } = viewer.inks;
		const ends = lines.flatMap(({ values, steps }) => [...values.keys()].filter((bin) => odd(values[bin]) && !odd(values[bin - 1] ?? 0)).map((bin) => binStart(bin, values.length, steps)));
		mark(pen, bad, ends, top, CHART);
		if (!ends.length) return;
		const x = at(min(...ends));
		const late = x > LEFT + axis.width / 2;
		write(pen, "reward not finite", x + (late ? -5 : 5), top + 8, bad, late ? "right" : "left");
	}
	function stroke(pen, { values, steps, colour, dash = [] }, y) {
		ink(pen, colour, colour === viewer.inks.muted ? 1 : 1.75);
		pen.lineJoin = "round";
		pen.setLineDash(dash);
		pen.beginPath();
		let before = NaN;
		for (const [bin, value] of [...values, NaN].entries()) {
			const x = at(min(steps - 1, binStart(bin, values.length, steps)));
			if (!odd(before) && (values.length < axis.width / 3 || odd(value))) pen.lineTo(x, y(before));
			if (!odd(value)) odd(before) ? pen.moveTo(x, y(value)) : pen.lineTo(x, y(value));
			before = value;
		}
		pen.stroke();
		pen.setLineDash([]);
	}
	function drawHead(pen, step) {
		const { inks } = viewer;
		const { left, width, steps } = axis;
		const [y, x, tall] = [RAIL / 2 - 1, at(step), height - RAIL - FOOT2 + 4];
		const [from, to] = viewer.trace?.window() ?? [0, 0];
		rect(pen, inks.hairline, left, y - 2, width, 4);
		pen.globalAlpha = 0.55;
		if (to > from && to - from < steps) rect(pen, inks.muted, at(from), y - 4, max(3, at(to) - at(from)), 8);
		pen.globalAlpha = 1;
		rect(pen, inks.accent, left, y - 2, x - left, 4);
		if (hover >= 0) rect(pen, inks.muted, round(at(hover)), RAIL - 4, 1, tall);
		rect(pen, inks.accent, round(x), RAIL - 4, 1.5, tall);
		disc(pen, inks.accent, x, y, 6.5);
	}
	function hideTip() {
		hover = -1;
		showTip(tip, false);
		viewer.invalidate("strips");
	}
	function hoverAt(step, x) {
		if (!full) return;
		hover = step;
		setText(previewText, tipText(step));
		preview.hidden = !replay.ready(step);
		if (preview.hidden) replay.load(step);
		else small.draw(preview, step);
		showTip(tip, true, x - tip.offsetWidth / 2, -tip.offsetHeight - 6, kept.width);
		viewer.invalidate("strips");
	}
	function tipText(step) {
		const bin = binOf(step, reward.length || 1, replay.steps);
		const sums = [[reward[bin], "all agents"], [agent?.rewards[bin], agent && facts.title(agent.object)]];
		return joined([
			`step ${count(step)}`,
			...lanes.map(([kind, words2]) => overview(replay, kind)[bin] && plural(overview(replay, kind)[bin], words2)),
			...sums.map(([sum, whose]) => sum !== void 0 && sum !== 0 && `reward ${odd(sum) ? "not finite" : signed(sum)}, ${whose}`)
		], "\n");
	}
	return {
		node,
		stepsOf,
		resize(width) {
			axis.width = max(1, width - LEFT - RIGHT);
			kept.resize(width);
		},
		refresh() {
			kept.forget();
			agent = null;
			const [held] = / \d+$/.exec(state.measure) ?? [];
			fill(item, held ? viewer.itemEntry(+held, "") : "");
		},
		draw(step) {
			if (!kept.width) return;
			drawHead(kept.start(), step);
			set(node, { "aria-valuenow": step, "aria-valuetext": `step ${step} of ${viewer.steps - 1}` });
		}
	};
}

var TALL = 18;
var MOST_ROWS2 = 6;
var WIDTHS = [1, 2, 4, 8, 15];
var GLYPHS_FROM = 12;
var RIGHT2 = 12;
var NO_DATA = -2;
function traceView(viewer) {
	const { replay, facts, state } = viewer;
	const { agents, steps, header } = replay;
	const height = TALL * within(agents.length, 1, MOST_ROWS2);
	let [from, zoom] = [0, WIDTHS.length - 1];
	let revealed = -1;
	const canvas = h("canvas.trace-canvas", { onclick: click, onpointermove: hover, onpointerleave: () => showTip(tip, false) });
	const kept = strip(canvas, height, drawBackdrop);
	const tip = div("tip");
	const legend = div("legend");
	const scroller = h("div.trace-scroll", { tabindex: 0, style: `height:${height}px`, role: "img", label: "What each agent did at each step; click to go there", onscroll: () => renew() }, h("div", { style: `height:${agents.length * TALL}px` }, canvas));
	const node = h("section.trace", { label: "Actions by agent", hidden: !agents.length }, div("trace-head", span("heading", "Actions"), legend, span("grow"), iconButton("minus", "Show more steps", () => widen(-1)), iconButton("plus", "Show fewer steps", () => widen(1))), scroller, tip);
	restyle();
	function restyle() {
		fill(legend, ...header.legend.map(([colour, style, words2]) => legendEntry(style + (viewer.inks[colour] ?? colourOf2(colour)), words2)));
		kept.forget();
	}
	function colourOf2(hue = -1) {
		return hue < 0 ? viewer.inks.hairline : series(viewer.inks, hue);
	}
	const columns = () => max(1, floor((kept.width - LEFT - RIGHT2) / WIDTHS[zoom]));
	const window = () => [from, min(steps, from + columns())];
	function renew(start = from) {
		from = within(round(start), 0, max(0, steps - columns()));
		kept.forget();
		viewer.invalidate("strips");
	}
	function widen(by) {
		zoom = within(zoom + by, 0, WIDTHS.length - 1);
		renew(state.shown - columns() / 3);
	}
	function draw() {
		const { shown, selected } = state;
		const cell = WIDTHS[zoom];
		if (shown < from || shown >= window()[1]) renew(shown - columns() / 3);
		if (selected !== revealed) reveal(selected);
		const pen = kept.start();
		ink(pen, viewer.inks.accent, 1.5);
		pen.strokeRect(LEFT + (shown - from) * cell - 0.75, 0.75, cell + 0.5, height - 1.5);
	}
	function reveal(selected) {
		revealed = selected;
		kept.forget();
		const top = agents.indexOf(selected) * TALL;
		const { scrollTop } = scroller;
		if (top >= 0 && (top < scrollTop || top + TALL > scrollTop + height)) scroller.scrollTop = top - height / 2;
	}
	function drawBackdrop(pen) {
		agents.forEach((object, row) => {
			const y = row * TALL - scroller.scrollTop;
			if (y > -TALL && y < height) drawRow(pen, object, y);
		});
	}
	function drawRow(pen, object, y) {
		const { inks } = viewer;
		const cell = WIDTHS[zoom];
		const chosen = state.selected === object;
		if (chosen) {
			rect(pen, inks.raised, 0, y, kept.width, TALL);
			rect(pen, inks.accent, 0, y, 3, TALL);
		}
		disc(pen, viewer.colour(object), LEFT - 13, y + TALL / 2, 3.5);
		write(pen, facts.title(object), LEFT - 22, y + TALL / 2 + 0.5, chosen ? inks.text : inks.muted, "right", chosen ? "600 12" : "12");
		const to = window()[1];
		const [actions, success, rewards, frozen, alive] = ["action", "action_success", "current_reward", "is_frozen", "alive"].map((name) => {
			const values = new Float32Array(to - from).fill(NO_DATA);
			replay.field(name).runs(object, from, to, (start, end, value) => values.fill(value, start - from, end - from));
			return values;
		});
		const gained = new Set(cell >= 4 ? gains(replay, object, from, to) : []);
		const width = cell - (cell >= 4 ? 1 : 0);
		actions.forEach((id, column) => {
			const x = LEFT + column * cell;
			if (id === NO_DATA || !alive[column]) return rect(pen, inks.hairline, x, y + TALL / 2, width, 1);
			const action = header.actions[id];
			const family = action?.family ?? "wait";
			const failed = !success[column] && family !== "wait";
			if (cell >= GLYPHS_FROM) drawCell(pen, family, colourOf2(action?.hue), facts.direction(object, action, from + column), failed, x, y + 1, width);
			else rect(pen, failed ? inks.bad : colourOf2(action?.hue), x, y + (failed ? 8 : 3), width, failed ? 4 : TALL - 7);
			if (frozen[column]) rect(pen, inks.cold, x, y + 1, width, 2);
			if (gained.has(from + column)) rect(pen, inks.gain, x + max(0, width - 5), y + 1, min(5, width), 5);
			if (odd(rewards[column])) rect(pen, inks.bad, x, y, min(width, 4), TALL - 1);
			else if (rewards[column] !== 0) rect(pen, rewards[column] > 0 ? inks.good : inks.bad, x, y + TALL - 3, width, 3);
		});
	}
	function drawCell(pen, family, colour, direction, failed, x, y, width) {
		const { bad, muted, onMark } = viewer.inks;
		const quiet = /move|turn|wait/.test(family);
		pen.beginPath();
		pen.roundRect(x + 0.75, y + 0.75, width - 1.5, TALL - 3.5, 2.5);
		ink(pen, failed ? bad : family === "wait" ? muted : quiet ? colour : onMark, 1);
		pen.fillStyle = colour;
		pen.globalAlpha = family === "wait" ? 0.5 : quiet ? 0.2 : 1;
		if (failed) pen.stroke();
		else pen.fill();
		pen.globalAlpha = 1;
		drawGlyph(pen, header.glyphs[direction < 0 && family === "move" ? "stuck" : family], direction, x + width / 2 - 6, y + 1.5);
	}
	function cellAt({ offsetX, offsetY }) {
		const step = from + floor((offsetX - LEFT) / WIDTHS[zoom]);
		return { object: agents[floor((offsetY + scroller.scrollTop) / TALL)] ?? -1, step: offsetX < LEFT || step >= window()[1] ? -1 : step };
	}
	function click(event) {
		const { object, step } = cellAt(event);
		viewer.select(object);
		if (step >= 0) viewer.seek(step);
	}
	function hover(event) {
		const { object, step } = cellAt(event);
		const over = object >= 0 && step >= 0;
		if (over) setText(tip, describeLine(facts.title(object), lineAt(facts, object, step)));
		showTip(tip, over, event.offsetX + 12, event.offsetY + scroller.offsetTop - tip.offsetHeight - 10, kept.width);
	}
	return { node, draw, restyle, window, resize: (width) => kept.resize(width) };
}

function transport(target, kinds) {
	const { steps } = target;
	const last = count(steps - 1);
	const play = button("", () => target.toggle(), "button.button-main");
	const input = h("input.step-input", { type: "text", inputmode: "numeric", label: "Step", style: `width:${max(4, last.length + 1)}ch`, onchange: () => target.seek(Number(input.value.replace(/[\s,.']/g, "")) || 0), onfocus: () => input.select() });
	const loop = iconButton("loop", "Begin again at the end (L)", () => target.toggleLoop());
	const speeds = choice("Speed in steps a second", [], (speed) => target.store.set({ speed: Number(speed) }));
	const kind = choice("Event to jump to", kinds, () => {});
	const jumps = h("div.group", { hidden: !kinds.length }, iconButton("earlier", "Previous event (,)", () => target.jump(-1)), kind, iconButton("later", "Next event (.)", () => target.jump(1)));
	const node = h("div.transport", { role: "toolbar", label: "Playback" }, div("group", iconButton("first", "First step (Home)", () => target.seek(0)), iconButton("back", "One step back ([)", () => target.move(-1)), play, iconButton("forward", "One step on (])", () => target.move(1)), iconButton("last", "Last step (End)", () => target.seek(steps)), loop), h("label.step", {}, "step", input, span("muted", `of ${last}`)), h("label.step", {}, speeds, span("muted", "steps/s")), jumps);
	let now = {};
	const update = (step, { playing, speed, loop: again }) => {
		set(loop, { "aria-pressed": String(again) });
		if (!input.matches(":focus") || playing) input.value = count(step);
		if (playing !== now.playing) {
			const label = playing ? "Pause (Space)" : "Play (Space)";
			fill(set(play, { label, title: label }), icon(playing ? "pause" : "play"));
		}
		if (speed !== now.speed) {
			fill(speeds, ...[...new Set([...SPEEDS, speed])].sort((a, b) => a - b).map((value) => h("option", { value }, String(+value.toPrecision(4)))));
			speeds.value = speed;
		}
		now = { playing, speed };
	};
	return { node, kind, update };
}

var PANEL_MS = 110;
var HINT_MS = 2600;
var PRINTING = ["beforeprint", "afterprint"];
var ALL = ["map", "strips", "panel"];
var MAP_ONLY = /fraction|camera|follow|layers/;
var Viewer = class {
	frame = 0;
	panelAt = 0;
	hintTimer = 0;
	stepNow = 0;
	running = false;
	onPaper = false;
	dirty = new Set();
	before = "agents";
	sprites = new SpriteCache();
	store = new Store();
	constructor(replay, options, all = [replay]) {
		this.replay = replay;
		this.options = options;
		this.theme = options.theme;
		this.facts = new Facts(replay);
		this.player = new Player(all);
		this.steps = this.player.steps;
		this.sides = [this];
		if (this.facts.teams.several) this.store.state.by = "team";
		this.texts = new Texts(replay);
		this.small = smallMap(this);
		this.map = mapView(this);
		this.minimap = minimap(this);
		this.timeline = timelineView(this, all.length === 1);
		this.transport = transport(this, replay.header.events.filter(([kind]) => all.length === 1 && kind !== "talk"));
		this.followButton = iconButton("follow", "Follow the selection (F)", () => this.toggleFollow());
		this.stage = div("stage", this.map.node, div("map-side", h("div.map-buttons", { role: "toolbar", label: "Map view" }, iconButton("plus", "Zoom in", () => this.map.zoom(1.5)), iconButton("minus", "Zoom out", () => this.map.zoom(1 / 1.5)), iconButton("fit", "Show the whole map (0)", () => this.fit()), this.followButton), this.minimap.node));
		this.store.listeners.add((changed) => this.changed(changed));
		replay.onload = () => this.loaded();
		this.observer = new ResizeObserver(() => this.resized());
		this.observer.observe(this.map.node);
		this.observer.observe(this.timeline.node);
		for (const event of PRINTING) addEventListener(event, this.print);
	}
	print = ({ type }) => {
		this.onPaper = type === PRINTING[0];
		this.drawPanel();
	};
	get state() {
		return this.store.state;
	}
	get place() {
		const { selected, camera, follow } = this.state;
		return { step: this.stepNow, selected: selected >= 0 ? this.replay.ids[selected] : null, view: viewText(follow ? this.map.camera : camera, follow) };
	}
	go({ step, selected, view }) {
		const now = this.place;
		if (selected !== void 0 && selected !== now.selected) this.select(this.replay.ids.indexOf(selected ?? -1));
		if (view !== void 0 && view !== now.view) this.store.set(readView(view));
		if (step !== void 0 && step !== now.step) this.seek(step);
	}
	get inks() {
		return this.replay.header.palettes[this.theme];
	}
	itemEntry(item, text) {
		const style = this.sprites.style(`item:${this.replay.header.item_names[item]}`, 18);
		return legendEntry(style || `background:${series(this.inks, max(0, item))}`, text);
	}
	colour(object, step = this.state.shown) {
		return this.facts.colour(object, step, this.inks);
	}
	mount() {
		const { options } = this;
		this.trace = traceView(this);
		this.panels = panels(this);
		this.search = searchBox(this);
		return this.frameOf(`Replay viewer: ${options.title}`, h("header.head", {}, h("h2.title", { title: options.title }, options.title), span("muted.facts-line", this.replay.header.summary), span("grow"), ...this.search.nodes, layerMenu(this), shareMenu(this)), div("body", div("main", this.stage, this.transport.node, this.timeline.node, this.trace.node), h("aside.side", {}, ...this.panels.nodes)));
	}
	frameOf(label, ...content) {
		const onkeydown = (event) => handleKey(event, this);
		const onclick = (event) => this.clicked(event);
		this.node = h("div.root", { tabindex: 0, role: "application", label, "data-theme": this.theme, style: `--rv-height:${this.options.height}px`, onkeydown, onclick }, ...content);
		return this.node;
	}
	clicked(event) {
		const pressed = event.target.closest("button, tr[data-object]");
		if (event.detail > 0 && pressed && !pressed.closest("details")) this.focus();
	}
	focus() {
		this.node?.focus({ preventScroll: true });
	}
	seek(step) {
		this.stepNow = within(round(step) || 0, 0, this.steps - 1);
		this.player.seek(this.stepNow);
		for (const { replay, store } of this.sides) {
			const goal = replay.clampStep(this.stepNow);
			store.set(replay.ready(goal) ? { step: goal, shown: goal, fraction: 0 } : { step: goal });
			replay.load(goal);
		}
		this.invalidate("strips", "panel");
	}
	move(by) {
		this.seek(this.stepNow + by);
	}
	toggle() {
		const { playing } = this.state;
		if (!playing && this.stepNow >= this.steps - 1) this.seek(0);
		this.store.set({ playing: !playing });
	}
	toggleLoop() {
		this.store.set({ loop: !this.state.loop });
	}
	scaleSpeed(factor) {
		this.store.set({ speed: clampSpeed(this.state.speed * factor) });
	}
	find() {
		this.node?.querySelector("input")?.focus();
	}
	select(object) {
		const { follow, tab } = this.state;
		if (object >= 0 && tab !== "selected") this.before = tab;
		this.store.set({ selected: object, follow: follow && object >= 0, tab: object < 0 || tab === "text" ? tab : "selected" });
	}
	leave() {
		const { selected, tab } = this.state;
		if (selected < 0 && tab !== "selected") return this.search?.end() ?? false;
		this.select(-1);
		if (tab === "selected") this.store.set({ tab: this.before });
		this.focus();
		return true;
	}
	selectNext(by) {
		const { agents } = this.replay;
		const at = agents.indexOf(this.state.selected);
		this.select(agents.at(at < 0 ? min(by, 0) : (at + by) % agents.length) ?? -1);
	}
	toggleFollow() {
		const { follow, selected } = this.state;
		if (!follow && selected < 0) return this.hint("Select something to follow first");
		for (const { store, map: { camera } } of this.sides) store.set({ follow: !follow, camera: { ...camera, scale: max(follow ? 0 : 26, camera.scale) } });
	}
	fit() {
		for (const { store } of this.sides) store.set({ camera: null, follow: false });
	}
	jump(way) {
		const kind = this.transport.kind.value;
		if (!kind) return;
		const found = nextStep(this.timeline.stepsOf(kind), this.stepNow, way);
		if (found < 0) return this.hint(`No ${way > 0 ? "later" : "earlier"} event of this kind`);
		this.seek(found);
	}
	hint(text) {
		clearTimeout(this.hintTimer);
		this.map.hint = text;
		this.hintTimer = text ? setTimeout(() => this.hint(""), HINT_MS) : 0;
		this.invalidate("map");
	}
	setTheme(theme) {
		this.theme = theme;
		if (this.node) this.node.dataset.theme = theme;
		this.sprites.drawn.clear();
		this.redraw();
	}
	async setSprites(bytes) {
		for (const side of this.sides) {
			await side.sprites.read(bytes);
			side.redraw();
		}
	}
	changed(changed) {
		const { state } = this;
		if (changed.includes("playing")) this.player.seek(this.stepNow);
		if (changed.some((key) => /selected|measure|by|hidden/.test(key))) this.timeline.refresh();
		if (changed.includes("layers") && this.sprites.plain !== Boolean(state.layers.symbols)) {
			this.sprites.plain = !this.sprites.plain;
			this.redraw();
		}
		if (changed.includes("tab")) this.panels?.show();
		set(this.followButton, { "aria-pressed": String(state.follow) });
		this.invalidate(...changed.every((key) => MAP_ONLY.test(key)) ? ["map"] : ALL);
	}
	redraw() {
		this.map.still.refresh();
		this.loaded();
	}
	loaded() {
		const { step } = this.state;
		if (this.replay.ready(step)) this.store.set({ shown: step });
		this.timeline.refresh();
		this.trace?.restyle();
		this.invalidate(...ALL);
	}
	resized() {
		const { clientWidth, clientHeight } = this.map.node;
		if (clientWidth === 0) return;
		this.map.resize(clientWidth, clientHeight);
		for (const part of [this.timeline, this.trace]) part?.resize(this.timeline.node.clientWidth);
		this.map.draw();
		this.running = true;
		this.invalidate(...ALL);
	}
	invalidate(...pieces) {
		for (const piece of pieces) this.dirty.add(piece);
		if (this.running && !this.frame) this.frame = requestAnimationFrame((now) => this.#tick(now));
	}
	#tick(now) {
		const { dirty, state } = this;
		this.frame = 0;
		if (state.playing) this.#play(now);
		if (dirty.delete("map")) {
			this.map.draw();
			this.minimap.draw();
		}
		if (dirty.delete("strips")) {
			this.trace?.draw();
			this.timeline.draw(this.stepNow);
			this.transport.update(this.stepNow, state);
		}
		if (now - this.panelAt > PANEL_MS && dirty.delete("panel")) {
			this.panelAt = now;
			this.drawPanel();
		}
		if (state.playing || dirty.size) this.invalidate();
	}
	#play(now) {
		const { step, fraction, ended } = this.player.tick(now, this.state.speed);
		const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
		this.stepNow = step;
		for (const { store, replay } of this.sides) {
			const shown = replay.clampStep(step);
			store.set({ step: shown, shown, fraction: still || shown < step ? 0 : fraction });
		}
		if (!ended) return;
		if (this.state.loop) this.seek(0);
		else this.store.set({ playing: false });
	}
	drawPanel() {
		this.panels?.update();
		this.search?.update();
	}
	stop() {
		this.running = false;
		cancelAnimationFrame(this.frame);
		clearTimeout(this.hintTimer);
		this.observer.disconnect();
		for (const event of PRINTING) removeEventListener(event, this.print);
		this.store.listeners.clear();
		this.sprites.stop();
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
		if (a === b) for (const [from, to] of [[this, this.right], [this.right, this]]) from.store.listeners.add(() => to.store.set({ camera: from.state.camera }));
	}
	mount() {
		const halves = this.sides.map((side, i) => h("section.half", { label: this.titles[i] }, h("h3.title", {}, this.titles[i]), side.stage));
		return this.frameOf("Two replays compared", div("body", div("main", div("halves", ...halves), this.transport.node, this.timeline.node), h("aside.side", {}, this.differences)));
	}
	get lines() {
		return this.sides.map(({ replay }, i) => ({ name: i ? "right" : "reward per agent so far: left", steps: replay.steps, colour: series(this.inks, i), dash: i ? [6, 3] : [], values: runningTotal(overview(replay, "sum"), replay.agents.length) }));
	}
	changed(changed) {
		super.changed(changed);
		const { selected } = this.store.state;
		if (!changed.includes("selected")) return;
		const number2 = this.facts.isAgent[selected] ? this.replay.agentIds[selected] : -1;
		const { agents, agentIds } = this.right.replay;
		this.right.select(agents.find((object) => agentIds[object] === number2) ?? -1);
	}
	setTheme(theme) {
		super.setTheme(theme);
		this.right.setTheme(theme);
	}
	drawPanel() {
		const both = this.sides.map((side) => sumsAt(side, this.stepNow));
		const rows = [...new Set(both.flatMap((sums) => [...sums.keys()]))].map((name) => {
			const [x, y] = both.map((sums) => sums.get(name) ?? 0);
			const difference = h(y > x ? "td.good" : y < x ? "td.bad" : "td.muted", {}, odd(y - x) ? "unknown" : signed(y - x));
			return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, totalText(x)), h("td", {}, totalText(y)), difference);
		});
		const head = h("tr.muted", {}, ...["", "left", "right", "right − left"].map((text) => h("td", {}, text)));
		fill(this.differences, section("At this step, over all agents", h("table.table.differences", {}, h("tbody", {}, head, ...rows))));
	}
	stop() {
		super.stop();
		this.right.stop();
	}
};
function sumsAt({ replay, facts }, step) {
	const at = replay.clampStep(step);
	const all = (read) => sumOf(replay.agents, read);
	const total = all((object) => replay.total(object, at));
	return new Map([
		["reward so far", total],
		["reward per agent", total / max(1, replay.agents.length)],
		["agents alive", all((object) => replay.here(object, at))],
		...replay.header.scored.map((item) => [facts.itemName(item), all((object) => replay.held(object, item, at))])
	]);
}

function listen(model, handlers) {
	const pairs = Object.entries(handlers);
	for (const [name, act] of pairs) model.on(`change:${name}`, act);
	return () => {
		for (const [name, act] of pairs) model.off(`change:${name}`, act);
	};
}
var nonce = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;

var PATIENCE_MS = 3e3;
var ABSENT = "this part is not embedded in this page, and no Python answers for it";
function messages(model, refused) {
	const waiting = new Map();
	const receive = (message, buffers) => {
		if (message?.type === "file") refused(String(message.error));
		waiting.get(message?.request)?.(message.ok === true && buffers?.[0] ? asBytes(buffers[0]) : null, String(message.error || "Python sent no data for this part"));
	};
	model.on("msg:custom", receive);
	return {
		asker: (source) => (hash, id) => new Promise((resolve, reject) => {
			const request = nonce();
			const timer = setTimeout(() => waiting.get(request)?.(null, ABSENT), PATIENCE_MS);
			waiting.set(request, (bytes, problem) => {
				waiting.delete(request);
				clearTimeout(timer);
				if (bytes) resolve(bytes);
				else reject(new WireError(problem));
			});
			model.send({ type: "chunk", request, source, hash, id });
		}),
		stop() {
			model.off("msg:custom", receive);
			for (const settle of waiting.values()) settle(null, ABSENT);
		}
	};
}

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
		const scalar = info ? info.scalar : header.defaults[name] ?? 0;
		this.columns = scalar === void 0 ? [x, y].map((axis) => base.numbers(`${name}.c${axis}`)) : null;
		this.scalars = [scalar ?? 0].flat();
		this.movers = base.sums(`${name}.i`);
		this.lasts = base.numbers(`${name}.f${x}`);
		this.moverOf = new Int32Array(this.movers.length ? length : 0).fill(-1);
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
		this.ids = base.sums("id");
		this.types = base.numbers("type");
		this.agentIds = base.numbers("agent_id");
		this.agents = Int32Array.from(base.numbers("agent_objects"));
		this.fields = new Map();
		this.location = this.field("location");
		this.alive = this.field("alive");
		this.pairItems = base.numbers("inventory.t");
		this.pairObjects = base.sums("inventory.o");
		this.inventory = new Field(this, "inventory", this.pairItems.length);
		this.territory = new Field(this, "territory", header.width * header.height);
		this.explored = base.sums("explored");
		const [chunks, texts] = ["steps", "text"].map((wanted) => header.chunks.filter(({ kind }) => kind === wanted).map((info) => ({ ...info, columns: null, loading: null, failed: "", used: 0, tracks: new Map() })));
		this.chunks = chunks;
		this.texts = texts;
		this.config = header.chunks.find((info) => info.kind === "config");
		this.recent = this.chunks[0];
		this.clock = 0;
		this.onload = () => {};
	}
	static async open(bytes, ask) {
		const header = await readHeader(bytes);
		const { offset, size, raw } = header.chunks[0];
		const base = await inflate(bytes.subarray(offset, offset + size), raw, "the first step");
		return new _Replay(bytes, header, new Columns(base), ask);
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
		if (step < this.recent.from || step >= this.recent.to) this.recent = this.chunks.find((chunk) => step < chunk.to) ?? this.chunks.at(-1);
		return this.recent;
	}
	ready(step) {
		return step <= 0 || this.chunkOf(step).columns !== null;
	}
	load(step) {
		return this.fetch(this.chunkOf(step));
	}
	async fetch(chunk) {
		if (!chunk.columns && !chunk.failed) await (chunk.loading ??= this.#fetch(chunk));
	}
	async #fetch(chunk) {
		try {
			chunk.columns = new Columns(await this.raw(chunk));
			chunk.used = ++this.clock;
			this.#forget();
		} catch (error) {
			chunk.failed = reason(error);
		}
		chunk.loading = null;
		this.onload();
	}
	async raw({ id, offset, size, raw }) {
		return inflate(offset === null ? await this.ask(this.header.hash, id) : this.bytes.subarray(offset, offset + size), raw, `the part ${id}`);
	}
	#forget() {
		const held = this.chunks.filter((chunk) => chunk.columns).sort((a, b) => b.used - a.used);
		let bytes = 0;
		held.forEach((chunk, i) => {
			bytes += chunk.raw;
			if (i <= 2 || bytes <= KEEP_BYTES) return;
			chunk.columns = null;
			chunk.tracks.clear();
		});
	}
	async loadAhead() {
		let bytes = 0;
		for (const { from, raw, offset } of this.chunks) {
			bytes += raw;
			if (offset === null || from > 0 && bytes > KEEP_BYTES) return;
			await new Promise((resolve) => setTimeout(resolve));
			await this.load(max(1, from));
		}
	}
	track(field, step) {
		const chunk = this.chunkOf(step);
		chunk.used = ++this.clock;
		let track = chunk.tracks.get(field.name);
		if (!track && chunk.columns) {
			track = decodeTrack(chunk.columns, field.name, field.kind, field.movers.length, chunk.from);
			chunk.tracks.set(field.name, track);
		}
		return track ?? null;
	}
	locate(object, step) {
		const { location } = this;
		const { track, mover, point } = location.change(object, step);
		return track ? { x: track.value(mover, point), y: track.row(mover, point) } : { x: location.first(object), y: location.first(object, 1) };
	}
	pairsOf(object) {
		const pairs = [];
		for (let pair = lowerBound(this.pairObjects, object); this.pairObjects[pair] === object; pair++) pairs.push(pair);
		return pairs;
	}
	pair(object, item) {
		return this.pairsOf(object).find((pair) => this.pairItems[pair] === item) ?? -1;
	}
	held(object, item, step) {
		const pair = this.pair(object, item);
		return pair < 0 ? 0 : this.inventory.at(pair, step);
	}
	total(object, step) {
		const totals = this.field("total_reward");
		if (totals.kind !== "derived") return totals.at(object, step);
		const mover = totals.mover(object);
		if (mover < 0 || step <= 0) return totals.first(object);
		const { from, columns } = this.chunkOf(step);
		if (!columns) return NaN;
		let total = columns.numbers("total_reward.k")[mover];
		this.field("current_reward").runs(object, max(1, from), step + 1, (start, end, value) => {
			total += value * (end - start);
		});
		return total;
	}
	tableList(table, object, step) {
		return this.header.tables[table]?.[this.at(table, object, step)] ?? [];
	}
};

var PLAY_MS = 200;
var SETTLE_MS = 60;
var NAMES = ["step", "selected", "playing", "speed", "view"];
var TOLD = ["step", "selected", "playing", "speed", "camera", "follow"];
function syncTraits(model, shown) {
	const { store, state } = shown;
	let [timer, writing] = [0, false];
	const write2 = () => {
		clearTimeout(timer);
		timer = 0;
		const { playing, speed } = state;
		const now = { ...shown.place, playing, speed };
		const changed = NAMES.filter((name) => model.get(name) !== now[name]);
		writing = true;
		for (const name of changed) model.set(name, now[name]);
		writing = false;
		if (changed.length) model.save_changes();
	};
	const tell = (changed) => {
		if (changed.includes("playing") && !state.playing) write2();
		else if (!timer && changed.some((key) => TOLD.includes(key))) timer = setTimeout(write2, state.playing ? PLAY_MS : SETTLE_MS);
	};
	const read = () => {
		if (!writing) readTraits(model, shown);
	};
	read();
	store.listeners.add(tell);
	const stop2 = listen(model, Object.fromEntries(NAMES.map((name) => [name, read])));
	return () => {
		clearTimeout(timer);
		stop2();
	};
}
function readTraits(model, shown) {
	const { store, stepNow } = shown;
	const { playing, speed } = store.state;
	store.set({ speed: clampSpeed(Number(model.get("speed"))) });
	const step = within(Number(model.get("step")) || 0, 0, shown.steps - 1);
	shown.go({ selected: model.get("selected"), view: model.get("view"), step: playing && abs(step - stepNow) < speed ? stepNow : step });
	store.set({ playing: model.get("playing") === true });
}

var marked = () => [document.body, document.documentElement];
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

var MOST_DROPPED = 24 * 2 ** 20;
function render({ model, el }) {
	const theme = () => pageTheme(model.get("theme"));
	const place = h("div", { ondragover: drop, ondrop: drop });
	let generation = 0;
	let shown = null;
	let stopSync = () => {};
	const { asker, stop: stop2 } = messages(model, refuse);
	const stops = [stop2, watchTheme(retheme), listen(model, { data: load, data_b: load, message: load, theme: retheme })];
	fill(el, place);
	if (asBytes(model.get("data")).length) say("Opening the replay", height());
	load();
	function clear() {
		stopSync();
		shown?.stop();
		shown = null;
	}
	function height() {
		return max(420, model.get("height"));
	}
	function say(text, least = 0) {
		clear();
		fill(place, h("div.root.alone", { "data-theme": theme(), role: "status", style: `min-height:${least}px` }, note(text)));
	}
	function show(replays) {
		const titles = replays.map((replay, i) => String(model.get("labels")?.[i] || replay.header.label || "Replay"));
		const options = { title: titles[0], url: model.get("url"), theme: theme(), height: height() };
		clear();
		const viewer = replays.length > 1 ? new Compare(replays, titles, options) : new Viewer(replays[0], options);
		const node = viewer.mount();
		stopSync = syncTraits(model, viewer);
		fill(place, node);
		viewer.resized();
		const sprites = asBytes(model.get("sprites"));
		if (sprites.length) viewer.setSprites(sprites).catch(() => viewer.hint("Pictures cannot be read: symbols are shown"));
		for (const replay of replays) replay.loadAhead();
		shown = viewer;
	}
	async function load() {
		const mine = ++generation;
		try {
			const parts = [model.get("data"), ...model.get("kind") === "compare" ? [model.get("data_b")] : []].map(asBytes);
			if (parts.some((bytes) => !bytes.length)) return say(model.get("message") || "No replay to show.");
			const replays = await Promise.all(parts.map((bytes, i) => Replay.open(bytes, asker(i ? "b" : "a"))));
			if (mine === generation) show(replays);
		} catch (error) {
			if (mine === generation) say(`This replay cannot be shown: ${reason(error)}.`);
		}
	}
	function refuse(problem) {
		if (shown) shown.hint(problem);
		else say(problem);
	}
	function drop(event) {
		const { files, types } = event.dataTransfer ?? {};
		if (!model.get("drops") || !types?.includes("Files")) return;
		event.preventDefault();
		const file = event.type === "drop" && files?.[0];
		if (!file) return;
		if (file.size > MOST_DROPPED) return refuse(`${file.name} has ${count(file.size)} bytes, too many to drop: give its path`);
		const reader = new FileReader();
		reader.onload = () => model.send({ type: "file", name: file.name, data: String(reader.result).split(",")[1] });
		reader.readAsDataURL(file);
	}
	function retheme() {
		if (shown && shown.theme !== theme()) shown.setTheme(theme());
	}
	return () => {
		generation++;
		clear();
		for (const each of stops) each();
		fill(el);
	};
}
var widget_default = { render };
export {
	widget_default as default
};
