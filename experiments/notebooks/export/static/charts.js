/** Charts: vega draws each over its still picture, in the colours of the page, and again when these change. */
"use strict";
{
  const log = globalThis.experimentsLog;
  const CANVAS_FROM = 5000;
  const PATIENCE_MS = 20_000;

  /** @returns {Promise<(place: HTMLElement, spec: any, options: any) => Promise<any>>} */
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
    const page = /** @type {any} */ (globalThis);
    const embed = page.vegaEmbed;
    // Also for the chart widget, which takes it from here: without eval, and without any address.
    page.vegaEmbed = async (/** @type {HTMLElement} */ place, /** @type {any} */ spec, /** @type {any} */ options) => {
      const found = await embed(place, spec, { defaultStyle: false, ...options, ast: true, loader });
      log.linkZoom?.(found.view);
      return found;
    };
    return page.vegaEmbed;
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
    const found = new Array(names.length ? columns[names[0]].length : 0);
    for (let i = 0; i < found.length; i++) {
      /** @type {Record<string, any>} */
      const row = {};
      for (const name of names) row[name] = columns[name][i];
      found[i] = row;
    }
    return found;
  };

  /** Small charts in as many columns as the page is wide for, as the chart widget has them. @param {any} spec @param {number} width */
  const placed = (spec, width) => {
    const each = (spec.concat?.[0]?.width ?? 0) + 58;
    return spec.concat ? { ...spec, columns: Math.max(1, Math.min(spec.columns ?? 1, Math.floor((width + 18) / each))) } : spec;
  };

  /** @param {HTMLElement} figure @param {any} plan @param {any} embed */
  const draw = async (figure, plan, embed) => {
    const theme = log.theme();
    const { light, dark } = log.assets.colours;
    const map = theme === "dark" ? log.assets.toDark : log.assets.toLight;
    const columns = await tables(plan);
    const datasets = Object.fromEntries(Object.entries(columns).map(([name, held]) => [name, rows(held)]));
    const live = /** @type {HTMLElement} */ (figure.querySelector(".live"));
    live.hidden = false;
    const found = await embed(live, { ...placed(recoloured(plan.spec, map), figure.clientWidth), datasets }, {
      mode: "vega-lite",
      actions: false,
      renderer: plan.rows > CANVAS_FROM ? "canvas" : "svg",
      config: base(theme === "dark" ? dark : light),
      tooltip: { theme: theme === "dark" ? "dark" : "custom" },
    });
    figure.classList.add("drawn");
    return found;
  };

  /** @param {any} plan @returns {Promise<Record<string, Record<string, any[]>>>} Columns of each of a chart's tables. */
  const tables = async (plan) =>
    Object.fromEntries(await Promise.all(Object.entries(plan.tables).map(async ([name, block]) => [name, await log.json(block)])));

  /** Wait for an element that somebody else makes. @param {HTMLElement} place @param {string} selector */
  const appeared = (place, selector) =>
    new Promise((done, failed) => {
      const look = () => {
        if (!place.querySelector(selector)) return;
        watch.disconnect();
        done(undefined);
      };
      const watch = new MutationObserver(look);
      watch.observe(place, { subtree: true, childList: true, attributes: true });
      setTimeout(() => failed(new Error("it was not drawn in time")), PATIENCE_MS);
      look();
    });

  /** A chart that one points at, zooms and selects in: drawn by the widget that draws it in notebooks. @param {HTMLElement} figure @param {any} plan */
  const mount = async (figure, plan) => {
    const live = /** @type {HTMLElement} */ (figure.querySelector(".live"));
    live.hidden = false;
    const { pick, esm, state } = plan.widget;
    const spec = { ...plan.spec, usermeta: { pick } };
    const model = new log.Model({ ...state, spec, datasets: await tables(plan), colours: log.assets.toDark });
    await log.mount(esm, await log.text(esm), model, live);
    log.linkChart?.(model, figure);
    await appeared(live, "[data-drawn]");
    figure.classList.add("drawn");
  };

  const start = async () => {
    const figures = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("figure[data-chart]")]);
    if (!figures.length) return;
    const vega = loadVega();
    // Unpacked while vega loads.
    const plans = figures.map(async (figure) => {
      const plan = await log.json(figure.dataset.chart);
      await tables(plan);
      return plan;
    });
    const embed = await vega;
    /** @type {Map<HTMLElement, any>} */
    const drawn = new Map();
    /** @param {HTMLElement} figure @param {number} at */
    const drawOne = async (figure, at) => {
      try {
        const plan = await plans[at];
        if (plan.widget && drawn.has(figure)) return; // follows the theme by itself
        drawn.get(figure)?.finalize();
        drawn.set(figure, plan.widget ? await mount(figure, plan) : await draw(figure, plan, embed));
      } catch (error) {
        figure.classList.remove("drawn");
        figure.title = `This chart stays still: ${error instanceof Error ? error.message : error}`;
      }
    };
    const drawAll = async () => {
      await Promise.all(figures.map(drawOne));
      document.documentElement.dataset.charts = "drawn";
    };
    await drawAll();
    log.onTheme(() => void drawAll());
  };

  start().catch((error) => console.warn("The charts stay still:", error));
}
