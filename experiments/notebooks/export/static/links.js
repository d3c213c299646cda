/** Charts of one page belong together: a zoom in one is a zoom in all over the same x, and selected runs are marked in tables. */
"use strict";
{
  const log = globalThis.experimentsLog;
  /** @type {Set<any>} */
  const views = new Set();
  /** @type {Set<any>} */
  const models = new Set();
  let moving = false;

  /** @param {any} view @param {number[]} range */
  const move = async (view, range) => {
    const [from, to] = range.length ? range : [null, null];
    const signals = view.getState({ signals: (/** @type {string} */ name) => name === "x_from" || name === "x_to", data: () => false }).signals;
    if (!("x_from" in signals) || (signals.x_from === from && signals.x_to === to)) return;
    await view.signal("x_from", from).signal("x_to", to).runAsync();
  };

  /** @param {any} model @param {number[]} range */
  const zoomAll = (model, range) => {
    if (moving) return;
    moving = true;
    for (const other of models) {
      if (other === model || other.get("spec").usermeta?.pick?.x !== model.get("spec").usermeta?.pick?.x) continue;
      other.set("zoom", range);
      other.tell("change:caption"); // it looks again at which of its buttons are of use
    }
    for (const view of views) void move(view, range).catch(() => views.delete(view));
    moving = false;
  };

  /** @param {any} model @returns {string[]} Names of the runs with a point inside the brush. */
  const brushed = (model) => {
    const { x, y } = model.get("brush");
    const { points, runs } = model.get("spec").usermeta.pick;
    const [held, names] = [model.get("datasets")[points], model.get("datasets")[runs]];
    if (!x || !held || !names) return [];
    const found = new Set();
    for (let row = 0; row < held.x.length; row++) {
      if (held.x[row] >= x[0] && held.x[row] <= x[1] && held.y[row] >= y[0] && held.y[row] <= y[1]) found.add(held.k[row]);
    }
    return names.k.map((/** @type {number} */ k, /** @type {number} */ row) => (found.has(k) ? names.run[row] : "")).filter(Boolean);
  };

  /** @param {string[]} runs */
  const mark = (runs) => {
    const wanted = new Set(runs.flatMap((run) => [run, run.split(".").slice(2).join(".")]));
    for (const row of /** @type {NodeListOf<HTMLTableRowElement>} */ (document.querySelectorAll(".table tbody tr"))) {
      row.classList.toggle("picked", [...row.cells].some((cell) => wanted.has((cell.textContent ?? "").trim())));
    }
  };

  Object.assign(log, {
    /** @param {any} view */
    linkZoom: (view) => views.add(view),
    /** @param {any} model @param {HTMLElement} figure */
    linkChart: (model, figure) => {
      models.add(model);
      const said = document.createElement("p");
      said.className = "quiet";
      said.role = "status";
      figure.querySelector(".live")?.append(said);
      model.on("change:zoom", (/** @type {number[]} */ range) => zoomAll(model, range));
      model.on("change:brush", () => {
        const runs = brushed(model);
        mark(runs);
        said.textContent = runs.length ? `${runs.length} selected and marked in the tables: ${runs.join(", ")}` : "";
      });
    },
  });
}
