/** Widgets without Python: ours in the page, those of others in frames that can reach neither the page nor a network. */
"use strict";
{
  const log = globalThis.experimentsLog;

  /** @param {HTMLElement} figure */
  const read = async (figure) => {
    const plan = await log.json(figure.dataset.widget);
    const names = Object.keys(plan.buffers);
    const buffers = await Promise.all(names.map((name) => log.bytes(plan.buffers[name])));
    return { ...plan, code: await log.text(plan.esm), buffers: Object.fromEntries(names.map((name, i) => [name, buffers[i]])) };
  };

  /** @param {HTMLElement} figure @param {HTMLElement} place */
  const mount = async (figure, place) => {
    const { esm, code, state, buffers } = await read(figure);
    const views = Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, new DataView(buffer)]));
    await log.mount(esm, code, new log.Model({ ...state, ...views }), place);
  };

  /** @param {HTMLElement} figure @param {HTMLElement} place */
  const frame = async (figure, place) => {
    const { code, css, state, buffers } = await read(figure);
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.title = figure.ariaLabel ?? "widget";
    frame.srcdoc = `<!doctype html><meta charset="utf-8"><style>body{margin:0;font:14px system-ui,sans-serif}</style><div id="widget"></div><script>${await log.text(log.assets.frame)}</scr` + "ipt>";
    addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow) return;
      if (event.data === "ready") frame.contentWindow?.postMessage({ code, css, state, buffers, theme: log.theme() }, "*");
      else if (typeof event.data?.height === "number") frame.style.height = `${Math.min(2000, Math.max(40, event.data.height))}px`;
      else if (typeof event.data?.failed === "string") fail(figure, event.data.failed);
    });
    place.append(frame);
  };

  /** @param {HTMLElement} figure @param {unknown} error */
  const fail = (figure, error) => {
    const said = document.createElement("p");
    said.className = "note";
    said.textContent = `This widget does not run here: ${error instanceof Error ? error.message : error}`;
    figure.querySelector(".live")?.replaceChildren(said);
  };

  /** @param {HTMLElement} figure */
  const start = async (figure) => {
    const place = /** @type {HTMLElement} */ (figure.querySelector(".live"));
    try {
      await (figure.dataset.framed ? frame : mount)(figure, place);
      figure.classList.add("drawn");
    } catch (error) {
      fail(figure, error);
    }
  };

  // Twenty replays are only opened as one comes to them.
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        void start(/** @type {HTMLElement} */ (target));
      }
    },
    { rootMargin: "600px" },
  );
  addEventListener("DOMContentLoaded", () => {
    for (const figure of document.querySelectorAll("figure[data-widget]")) watch.observe(figure);
  });
}
