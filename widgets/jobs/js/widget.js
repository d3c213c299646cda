/** The widget: a job table that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { listen } from "../../page/js/model.js";
import { TableView } from "./table-view.js";

/** @import { Model } from "./table-view.js" */

const TICK_MS = 1000;

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new TableView(model, el.appendChild(make("div.jobs-table.look")));
  view.receive();
  view.tell();
  view.update();
  const [tell, update, paint, tick] = [() => view.tell(), () => view.update(), () => view.paint(), () => view.tick()];
  const stop = listen(model, {
    sent_at: () => view.receive(), ongoing: tell, problems: tell, notice: tell, rows: update, empty: update, actions: paint, selected: paint,
    as_of: tick, stale_after: tick,
  });
  const timer = setInterval(tick, TICK_MS);
  return () => {
    clearInterval(timer);
    stop();
  };
}

export default { render };
