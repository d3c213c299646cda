/** The widget: a job table that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { whenSeen } from "../../page/js/live.js";
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
  /** @type {{rows: [number, unknown][]} | null} What came since the last look. */
  let news = null;
  let came = 0;
  const seen = whenSeen(() => {
    view.update(came === 1 ? news : null);
    came = 0;
    view.held.shown();
  });
  const stopHearing = view.held.listen((piece) => {
    news = piece;
    came++;
    seen.due();
  });
  const [tell, paint, tick] = [() => view.tell(), () => view.paint(), () => document.hidden || view.tick()];
  const stop = listen(model, {
    sent_at: () => view.receive(), ongoing: tell, problems: tell, notice: tell, empty: () => view.update(), actions: paint, selected: paint,
    as_of: tick, stale_after: tick,
  });
  const timer = setInterval(tick, TICK_MS);
  view.held.shown();
  return () => {
    clearInterval(timer);
    stop();
    stopHearing();
    seen.stop();
    view.window.stop();
  };
}

export default { render };
