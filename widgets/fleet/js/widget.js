/** The widget: a fleet table that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { listen, tellPython } from "../../page/js/model.js";
import { FleetView } from "./fleet-view.js";

/** @import { FleetModel } from "./fleet-view.js" */

const TICK_MS = 1000;

/** @param {{model: FleetModel, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new FleetView(model, el.appendChild(make("div.jobs-table.fleet.look")));
  view.receive();
  view.whole();
  view.patch();
  const [tell, tick] = [() => view.tell(), () => view.tick()];
  const stop = listen(model, {
    version: () => view.whole(), patch: () => view.patch(), alerts: tell, ongoing: tell, problems: tell, selected: () => view.paint(),
    sent_at: () => view.receive(), as_of: tick, stale_after: tick,
  });
  const timer = setInterval(() => document.hidden || view.tick(), TICK_MS);
  const look = () => tellPython(model, "visible", !document.hidden);
  document.addEventListener("visibilitychange", look);
  const leave = (/** @type {KeyboardEvent} */ event) => view.leave(event);
  document.addEventListener("keydown", leave);
  return () => {
    clearInterval(timer);
    view.lines.watcher.disconnect();
    document.removeEventListener("visibilitychange", look);
    document.removeEventListener("keydown", leave);
    stop();
  };
}

export default { render };
