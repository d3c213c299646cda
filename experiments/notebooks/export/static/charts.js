/** Charts: vega draws each over its still picture, in the colours of the page, and again when these change. */
"use strict";
{
  const log = globalThis.experimentsLog;
  const CANVAS_FROM = 5000;

  /** @returns {Promise<any>} vegaEmbed. */
  const loadVega = async () => {
    const url = log.blobUrl(await log.text(log.assets.vega), "text/javascript");
    await new Promise((done, failed) => {
      const script = document.createElement("script");
      script.onload = done;
      script.onerror = () => failed(new Error("vega did not load"));
      script.src = url;
      document.head.append(script);
    });
    URL.revokeObjectURL(url);
    return /** @type {any} */ (globalThis).vegaEmbed;
  };

  /** No address is read, whatever a specification asks for. */
  const loader = {
    load: () => Promise.reject(new Error("a log reads no address")),
    sanitize: () => Promise.reject(new Error("a log reads no address")),
    http: () => Promise.reject(new Error("a log reads no address")),
    file: () => Promise.reject(new Error("a log reads no address")),
  };

  /** The colours of light pages as those of dark ones, or back. @param {any} value @param {Record<string, string>} map @returns {any} */
  const recoloured = (value, map) => {
    if (typeof value === "string") return map[value.toLowerCase()] ?? value;
    if (Array.isArray(value)) return value.map((entry) => recoloured(entry, map));
    if (!value || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, recoloured(entry, map)]));
  };

  /** What a chart without colours of its own is drawn in. @param {Record<string, string>} colour */
  const base = (colour) => ({
    background: "transparent",
    axis: { labelColor: colour.muted, titleColor: colour.text, domainColor: colour.hairline, tickColor: colour.hairline, gridColor: colour.hairline },
    legend: { labelColor: colour.text, titleColor: colour.text },
    header: { labelColor: colour.text, titleColor: colour.text },
    title: { color: colour.text, subtitleColor: colour.muted },
    view: { stroke: colour.hairline },
    text: { color: colour.text },
    rule: { color: colour.text },
    tick: { color: colour.text },
    range: { category: colour.arms },
  });

  /** @param {Record<string, any[]>} columns */
  const rows = (columns) => {
    const names = Object.keys(columns);
    const count = names.length ? columns[names[0]].length : 0;
    return Array.from({ length: count }, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
  };

  /** @param {HTMLElement} figure @param {any} embed */
  const draw = async (figure, embed) => {
    const plan = await log.json(figure.dataset.chart);
    const theme = log.theme();
    const { light, dark } = log.assets.colours;
    const map = theme === "dark" ? log.assets.toDark : log.assets.toLight;
    const datasets = Object.fromEntries(
      await Promise.all(Object.entries(plan.tables).map(async ([name, block]) => [name, rows(await log.json(block))])),
    );
    const live = /** @type {HTMLElement} */ (figure.querySelector(".live"));
    live.hidden = false;
    const found = await embed(live, { ...recoloured(plan.spec, map), datasets }, {
      mode: "vega-lite",
      actions: false,
      ast: true,
      defaultStyle: false,
      renderer: plan.rows > CANVAS_FROM ? "canvas" : "svg",
      config: base(theme === "dark" ? dark : light),
      tooltip: { theme: theme === "dark" ? "dark" : "custom" },
      loader,
    });
    figure.classList.add("drawn");
    return found;
  };

  const start = async () => {
    const figures = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("figure[data-chart]")]);
    if (!figures.length) return;
    const embed = await loadVega();
    /** @type {Map<HTMLElement, any>} */
    const drawn = new Map();
    const drawAll = async () => {
      for (const figure of figures) {
        try {
          drawn.get(figure)?.finalize();
          drawn.set(figure, await draw(figure, embed));
        } catch (error) {
          figure.classList.remove("drawn");
          figure.title = `This chart stays still: ${error instanceof Error ? error.message : error}`;
        }
      }
      document.documentElement.dataset.charts = "drawn";
    };
    await drawAll();
    log.onTheme(() => void drawAll());
  };

  start().catch((error) => console.warn("The charts stay still:", error));
}
