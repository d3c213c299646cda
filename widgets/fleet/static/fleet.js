function make(selector, props = {}, ...children) {
	const [tag, ...classes] = selector.split(".");
	const node = fill(set(document.createElement(tag), props), ...children);
	node.classList.add(...classes);
	return node;
}
function set(node, props) {
	for (const [name, value] of Object.entries(props)) {
		const key2 = name === "label" ? "aria-label" : name;
		if (typeof value === "function") node.addEventListener(key2.slice(2), value);
		else if (typeof value === "boolean") node.toggleAttribute(key2, value);
		else node.setAttribute(key2, value);
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
function movedTo(key2, at, count2) {
	const far = count2;
	const way = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -far, End: far }[key2];
	return way ? Math.min(count2 - 1, Math.max(0, at + way)) : -1;
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

function remember(values) {
	const address = new URL(location.href);
	for (const [name, value] of Object.entries(values)) {
		if (value) address.searchParams.set(name, value);
		else address.searchParams.delete(name);
	}
	history.replaceState(history.state, "", address);
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
	cells = Object.fromEntries(COLUMNS.map(([key2]) => [key2, make(`td.jobs-${key2}`, { role: "gridcell" })]));
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

function dollars(value, more = false) {
	if (value === null) return MISSING;
	const text = value >= 1e3 ? `$${quantity(value)}` : `$${value.toFixed(value > 0 && value < 10 ? 2 : 0)}`;
	return more ? `${text} + ?` : text;
}
function total(rows) {
	const parts = rows.map((row) => row.state === "succeeded" ? 1 : fraction(row)).filter((part) => part !== null);
	const costs = rows.map((row) => row.cost).filter((cost) => cost !== null);
	const starts = rows.map((row) => row.started_at).filter((start) => start !== null);
	const done = sum(parts);
	return {
		counts: counted(rows),
		done: done === null ? null : done / rows.length,
		sps: sum(rows.filter((row) => row.state === "running").map((row) => row.sps).filter((speed) => speed !== null)),
		cost: sum(costs),
		unknown: costs.length < rows.length,
		open: rows.some((row) => ALIVE.includes(row.state) && row.state !== "unknown"),
		started: starts.length ? Math.max(...starts) : null,
		alerts: rows.reduce((found, row) => found + row.alerts.length, 0)
	};
}
function sum(values) {
	return values.length ? values.reduce((before, value) => before + value, 0) : null;
}
function byExperiment(rows) {
	const found = new Map();
	for (const row of rows) {
		const others = found.get(row.experiment);
		if (others) others.push(row);
		else found.set(row.experiment, [row]);
	}
	return found;
}
function patched(rows, patch) {
	const touched = new Set();
	for (const run of patch.gone ?? []) {
		touched.add(rows.get(run)?.experiment ?? "");
		rows.delete(run);
	}
	for (const row of patch.rows ?? []) {
		touched.add(row.experiment);
		rows.set(row.run, row);
	}
	return touched;
}
function moreUrgent(a, b) {
	return Number(b.alerts > 0) - Number(a.alerts > 0) || Number(b.open) - Number(a.open) || (b.started ?? 0) - (a.started ?? 0);
}

var MOST_WORDS = 2;
var GroupView = class {
	name = make("span.fleet-name");
	many = make("span.fleet-many");
	states = make("span.fleet-states");
	warning = make("span.fleet-alert");
	fill = make("span.jobs-fill");
	share = make("span.jobs-steps");
	sps = make("td.jobs-sps", { role: "gridcell" });
	started = make("td.jobs-started", { role: "gridcell" });
	cost = make("td.jobs-cost", { role: "gridcell" });
	shown = "";
	at = null;
	constructor(experiment) {
		const caret = make("button.fleet-caret", { type: "button", tabindex: -1, label: "Show or hide its jobs" });
		const bar = make("span.jobs-bar", { "aria-hidden": "true" }, this.fill);
		this.element = make("tr.fleet-group", { role: "row", tabindex: -1, "aria-level": 1, "data-experiment": experiment, "data-state": "running" }, make("td.jobs-run", { role: "gridcell" }, make("span.fleet-title", {}, caret, this.name, this.many)), make("td.jobs-state", { role: "gridcell" }, this.states, this.warning), make("td.jobs-progress", { role: "gridcell" }, bar, this.share), this.sps, make("td.jobs-reward", { role: "gridcell" }), make("td.jobs-left", { role: "gridcell" }), this.started, this.cost);
		this.body = make("tbody", {}, this.element);
		say(this.name, experiment || "(no experiment)", experiment);
	}
	show(sum2, jobs, now) {
		setText(this.many, ` ${plural(jobs, "job")}`);
		this.#counts(sum2.counts);
		say(this.warning, sum2.alerts ? `! ${sum2.alerts}` : "", sum2.alerts ? `${sum2.alerts} alerts` : "");
		this.fill.style.width = `${100 * (sum2.done ?? 0)}%`;
		say(this.share, sum2.done === null ? MISSING : `${Math.floor(100 * sum2.done)} %`, "Mean over its jobs");
		say(this.sps, quantity(sum2.sps), sum2.sps === null ? "Nothing runs" : "All that run, together");
		say(this.cost, dollars(sum2.cost, sum2.unknown), sum2.unknown ? "The price of some jobs is not known" : "All jobs together");
		this.at = sum2.started;
		this.tick(now);
	}
	#counts(counts) {
		if (this.shown === counts.join()) return;
		this.shown = counts.join();
		fill(this.states, ...counts.map(([state, count2]) => {
			const word = counts.length > MOST_WORDS ? "" : make("span.fleet-word", {}, ` ${state}`);
			return make("span", { "data-state": state, title: `${count2} ${state}` }, mark(state), `${count2}`, word);
		}));
	}
	tick(now) {
		sayStart(this.started, this.at, now);
	}
};

var AHEAD = "400px 0px";
var Lines = class {
	drawn = new Map();
	named = new Map();
	constructor(scroll, columns, seen) {
		this.columns = columns;
		this.watcher = new IntersectionObserver((entries) => {
			for (const { isIntersecting, target } of entries) {
				if (isIntersecting) seen(target.dataset.run ?? "");
			}
		}, { root: scroll, rootMargin: AHEAD });
	}
	find(run) {
		return this.drawn.get(run)?.element ?? this.named.get(run);
	}
	of(run) {
		const known2 = this.find(run);
		if (known2) return known2;
		const name = make("td.jobs-run", { role: "gridcell", colspan: this.columns }, run);
		const line = make("tr.jobs-row", { role: "row", tabindex: -1, "aria-level": 2, "data-run": run }, name);
		this.named.set(run, line);
		this.watcher.observe(line);
		return line;
	}
	draw(row, arm, now) {
		const line = this.named.get(row.run);
		if (!line) return;
		this.watcher.unobserve(line);
		this.named.delete(row.run);
		const view = new FleetRowView(row.run);
		this.drawn.set(row.run, view);
		view.show(row, arm, now);
		for (const name of ["aria-selected", "tabindex"]) view.element.setAttribute(name, line.getAttribute(name) ?? "");
		line.replaceWith(view.element);
	}
	keep(rows) {
		for (const lines of [this.drawn, this.named]) {
			for (const run of lines.keys()) {
				if (rows.has(run)) continue;
				this.find(run)?.remove();
				lines.delete(run);
			}
		}
	}
	tick(rows, now) {
		for (const [run, view] of this.drawn) {
			const row = rows.get(run);
			if (row && view.element.isConnected) view.tick(row, now);
		}
	}
};
var FleetRowView = class extends RowView {
	warning = make("span.fleet-alert");
	cost = make("td.jobs-cost", { role: "gridcell" });
	constructor(run) {
		super(run);
		this.element.firstElementChild?.remove();
		this.cells.state.insertBefore(this.warning, this.reason);
		this.element.append(this.cost);
		this.element.setAttribute("aria-level", "2");
	}
	show(row, arm, now) {
		this.update({ ...row, cost: void 0 }, arm, now);
		const more = row.alerts.find((text) => !text.startsWith(row.state));
		setText(this.warning, more ? `! ${more}` : "");
		this.warning.hidden = !more;
		if (row.alerts.length) setTitle(this.cells.state, [...row.alerts, row.reason, row.words].filter(Boolean).join("\n"));
		say(this.cost, dollars(row.cost), row.cost === null ? "Nobody knows its price" : `${row.cost} USD so far`);
	}
};

var Overview = class {
	sums = make("ul.fleet-sums");
	alerts = make("details.fleet-alerts", { open: true });
	shown = "";
	constructor(select) {
		this.select = select;
	}
	showSums({ counts, sps, cost, unknown }) {
		const items = counts.map(([state, count2]) => make("li", { "data-state": state }, mark(state), make("b", {}, String(count2)), state));
		if (sps !== null) items.push(make("li", { title: "All that run, together" }, make("b", {}, quantity(sps)), "steps/s"));
		if (cost !== null) items.push(make("li", { title: "Of all jobs whose price is known" }, make("b", {}, dollars(cost, unknown)), "so far"));
		fill(this.sums, ...items);
	}
	showAlerts(alerts, now) {
		this.alerts.hidden = alerts.length === 0;
		const wanted = JSON.stringify(alerts);
		if (this.shown === wanted) return;
		this.shown = wanted;
		const items = alerts.map(({ run, experiment, text, at }) => make("li", {}, make("button", { type: "button", onclick: () => this.select(experiment, run) }, `${run || experiment}: ${text}`), make("span.fleet-when", { title: moment(at) }, `${age(now - at)} ago`)));
		refill(this.alerts, make("summary", {}, plural(alerts.length, "alert")), make("ul", {}, ...items));
	}
};

var HEADS = [
	["run", "Experiment and run"],
	["state", "State"],
	["progress", "Progress"],
	["sps", "Steps/s"],
	["reward", "Reward"],
	["left", "Time left"],
	["started", "Started"],
	["cost", "Cost"]
];
var LONGEST_SEEN = 300;
var OWN_ESCAPE = "input, select, textarea, dialog, details[open], [role=dialog], [role=menu], [role=listbox]";
var FleetView = class {
	version = 0;
	rows = new Map();
	groups = new Map();
	flipped = new Set();
	active = "";
	filter = make("input.jobs-filter.jobs-field", { type: "search", placeholder: "Filter jobs", label: "Filter jobs", oninput: () => this.place() });
	count = make("span.jobs-count", { "aria-live": "polite" });
	all = make("button.fleet-open.jobs-action", { type: "button", onclick: () => this.flipAll() }, "Open all");
	ongoing = make("ul.jobs-ongoing", { role: "status" });
	problems = make("ul.jobs-problems", { role: "status" });
	heads = make("thead", {}, make("tr", { role: "row" }, ...HEADS.map(([key2, label]) => make(`th.jobs-${key2}`, { role: "columnheader", scope: "col" }, label))));
	grid = make("table.jobs-grid", {
		role: "treegrid",
		label: "Experiments and jobs",
		onclick: (event) => this.click(event),
		onkeydown: (event) => this.press(event)
	}, this.heads);
	scroll = make("div.jobs-scroll", {}, this.grid);
	nothing = make("p.jobs-empty");
	said = make("p.jobs-detail", { role: "status" });
	lines = new Lines(this.scroll, HEADS.length, (run) => this.draw(run));
	overview = new Overview((experiment, run) => this.select(experiment, run));
	constructor(model, root) {
		this.model = model;
		this.isOpen = model.get("all_open");
		this.freshness = new Freshness(model, root);
		this.top = make("div.jobs-top", {}, this.filter, this.all, this.count, this.freshness.element);
		root.replaceChildren(this.overview.sums, this.overview.alerts, this.ongoing, this.problems, this.top, this.scroll, this.nothing, this.said);
	}
	whole() {
		this.version = this.model.get("version");
		this.rows = new Map(this.model.get("rows").map((row) => [row.run, row]));
		this.show(new Set([...this.rows.values()].map((row) => row.experiment)));
	}
	patch() {
		const patch = this.model.get("patch");
		if (patch.at === void 0 || patch.at <= this.version) return;
		if (patch.at > this.version + 1) return tellPython(this.model, "wanted", patch.at);
		this.version = patch.at;
		this.show(patched(this.rows, patch));
	}
	show(touched) {
		const [now, found] = [this.freshness.now(), byExperiment(this.rows.values())];
		this.lines.keep(this.rows);
		for (const [name, group] of this.groups) {
			if (found.has(name)) continue;
			group.body.remove();
			this.groups.delete(name);
		}
		for (const name of touched) {
			const rows = found.get(name);
			if (!rows) continue;
			const [group, arms] = [this.groups.get(name) ?? new GroupView(name), colouredArms(rows)];
			this.groups.set(name, group);
			group.show(total(rows), rows.length, now);
			for (const row of rows) this.lines.drawn.get(row.run)?.show(row, arms.indexOf(row.arm), now);
		}
		this.place();
		this.tell();
	}
	draw(run) {
		const row = this.rows.get(run);
		if (!row || this.lines.drawn.has(run)) return;
		const others = [...this.rows.values()].filter((each) => each.experiment === row.experiment);
		this.lines.draw(row, colouredArms(others).indexOf(row.arm), this.freshness.now());
	}
	place() {
		const text = this.filter.value.trim();
		const found = [...byExperiment(this.rows.values())].map(([name, rows]) => ({ name, sum: total(rows), shown: rows.filter((row) => isFound(row, text)) }));
		const visible = found.filter(({ shown }) => shown.length).sort((a, b) => moreUrgent(a.sum, b.sum));
		const bodies = visible.map(({ name, shown }) => {
			const { element, body } = this.groups.get(name);
			const open = text !== "" || this.isOpen !== this.flipped.has(name);
			element.setAttribute("aria-expanded", String(open));
			arrange(body, [element, ...open ? shown.map((row) => this.lines.of(row.run)) : []]);
			return body;
		});
		arrange(this.grid, [this.heads, ...bodies]);
		const jobs = visible.reduce((sum2, { shown }) => sum2 + shown.length, 0);
		const many = `${plural(visible.length, "experiment")}, ${plural(jobs, "job")}`;
		setText(this.count, text ? `${many} of ${this.rows.size}` : many);
		setText(this.all, this.isOpen ? "Close all" : "Open all");
		this.top.hidden = this.scroll.hidden = this.said.hidden = this.rows.size === 0;
		this.nothing.hidden = jobs > 0;
		this.sayNothing(text);
		this.paint();
	}
	paint() {
		const { experiment, run } = this.model.get("selected");
		for (const [name, { element }] of this.groups) choose(element, name === experiment && !run);
		for (const name of this.rows.keys()) {
			const line = this.lines.find(name);
			if (line) choose(line, name === run);
		}
		const lines = this.inOrder();
		const active = lines.find((line) => key(line) === this.active) ?? lines[0];
		if (active) active.tabIndex = 0;
		const chosen = [...this.rows.values()].filter((row) => row.experiment === experiment);
		const seen = chosen.map((row) => row.data).join(".").slice(0, LONGEST_SEEN);
		if (seen !== this.model.get("seen")) tellPython(this.model, "seen", seen);
	}
	inOrder() {
		return [...this.grid.tBodies].flatMap((body) => [...body.rows]);
	}
	select(experiment, run) {
		const old = this.model.get("selected");
		const same = old.experiment === experiment && old.run === run;
		const selected = same ? { experiment: "", run: "" } : { experiment, run };
		tellPython(this.model, "selected", selected);
		remember(selected);
		this.paint();
	}
	selectLine({ dataset: { run = "", experiment = "" } }) {
		this.select(run ? this.rows.get(run)?.experiment ?? "" : experiment, run);
	}
	flip(experiment) {
		if (!this.flipped.delete(experiment)) this.flipped.add(experiment);
		this.place();
	}
	flipAll() {
		this.isOpen = !this.isOpen;
		this.flipped.clear();
		this.place();
	}
	click(event) {
		const target = event.target;
		const line = target.closest("tr");
		if (!line || line.parentElement === this.heads) return;
		this.active = key(line);
		if (target.closest(".fleet-caret")) this.flip(line.dataset.experiment ?? "");
		else if (target.closest(".jobs-name")) void this.copy(line.dataset.run ?? "");
		else this.selectLine(line);
		line.focus({ preventScroll: true });
	}
	press(event) {
		const lines = this.inOrder();
		const at = Math.max(0, lines.findIndex((line2) => key(line2) === this.active));
		const [line, next] = [lines[at], lines[movedTo(event.key, at, lines.length)]];
		if (!line) return;
		const { experiment } = line.dataset;
		const turns = line.getAttribute("aria-expanded") === "true" ? "ArrowLeft" : "ArrowRight";
		if (next) this.focus(next);
		else if (event.key === "Enter" || event.key === " ") this.selectLine(line);
		else if (event.key === "c" && (event.ctrlKey || event.metaKey) && line.dataset.run) void this.copy(line.dataset.run);
		else if (event.key === turns && experiment !== void 0) this.flip(experiment);
		else if (event.key === "Escape") this.select("", "");
		else return;
		event.preventDefault();
		event.stopPropagation();
	}
	leave(event) {
		const { experiment, run } = this.model.get("selected");
		const isTaken = event.composedPath().some((at) => at instanceof Element && at.matches(OWN_ESCAPE));
		if (event.key !== "Escape" || event.defaultPrevented || isTaken || !(experiment || run)) return;
		const opened = run ? `run ${run}` : `experiment ${experiment}`;
		this.select("", "");
		this.draw(run);
		const line = this.inOrder().find((each) => key(each) === opened);
		if (line) this.focus(line);
	}
	async copy(run) {
		setText(this.said, await copyName(run));
	}
	focus(line) {
		this.active = key(line);
		this.paint();
		this.draw(line.dataset.run ?? "");
		this.inOrder().find((each) => key(each) === this.active)?.focus();
	}
	sayNothing(text) {
		const without = this.model.get("problems").length ? "Which jobs there are is not known." : "No job yet. Launch a recipe, and its jobs appear here.";
		setText(this.nothing, this.rows.size ? `No job matches “${text}”. Change or clear the filter.` : without);
	}
	tell() {
		this.sayNothing(this.filter.value.trim());
		this.overview.showSums(total([...this.rows.values()]));
		this.overview.showAlerts(this.model.get("alerts"), this.freshness.now());
		sayLines(this.ongoing, this.model.get("ongoing"));
		sayLines(this.problems, this.model.get("problems"));
	}
	receive() {
		this.freshness.receive();
		this.tick();
	}
	tick() {
		this.freshness.tick();
		const now = this.freshness.now();
		this.lines.tick(this.rows, now);
		for (const group of this.groups.values()) group.tick(now);
	}
};
function isFound(row, text) {
	return text === "" || holds([textOf(row), row.experiment, ...row.alerts].join(" "), text);
}
function choose(line, chosen) {
	line.setAttribute("aria-selected", String(chosen));
	line.tabIndex = -1;
}
function key({ dataset: { run, experiment } }) {
	return run ? `run ${run}` : `experiment ${experiment}`;
}

var TICK_MS = 1e3;
function render({ model, el }) {
	const view = new FleetView(model, el.appendChild(make("div.jobs-table.fleet.look")));
	view.receive();
	view.whole();
	view.patch();
	const [tell, tick] = [() => view.tell(), () => view.tick()];
	const stop = listen(model, {
		version: () => view.whole(),
		patch: () => view.patch(),
		alerts: tell,
		ongoing: tell,
		problems: tell,
		selected: () => view.paint(),
		sent_at: () => view.receive(),
		as_of: tick,
		stale_after: tick
	});
	const timer = setInterval(() => document.hidden || view.tick(), TICK_MS);
	const look = () => tellPython(model, "visible", !document.hidden);
	document.addEventListener("visibilitychange", look);
	const leave = (event) => view.leave(event);
	document.addEventListener("keydown", leave);
	return () => {
		clearInterval(timer);
		view.lines.watcher.disconnect();
		document.removeEventListener("visibilitychange", look);
		document.removeEventListener("keydown", leave);
		stop();
	};
}
var widget_default = { render };
export {
	widget_default as default
};
