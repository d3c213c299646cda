/** The widget: a table of runs that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { whenSeen } from "../../page/js/live.js";
import { listen } from "../../page/js/model.js";
import { RunsView } from "./runs-view.js";

/** @import { RunsModel } from "./runs-view.js" */

/** @param {{model: RunsModel, el: HTMLElement}} context */
function render({ model, el }) {
  const view = new RunsView(model, el.appendChild(make("div.runs-table.look")));
  view.show();
  let whole = false;
  const seen = whenSeen(() => {
    if (whole) view.show();
    else view.update();
    whole = false;
    view.held.shown();
  });
  const stopHearing = view.held.listen((piece) => {
    whole ||= piece === null;
    seen.due();
  });
  const stop = listen(model, {
    colours: () => view.redraw(), hidden: () => view.redraw(), selected: () => (view.offer(), view.place()), archived: () => view.redraw(), protected: () => view.redraw(),
    with_archived: () => view.offer(), actions: () => view.offer(), notice: () => view.offer(), undo: () => view.offer(), notes: () => view.update(), empty: () => view.update(), found: () => view.columns.show(), layout: () => view.show(),
  });
  view.held.shown();
  return () => {
    stop();
    stopHearing();
    seen.stop();
    view.window.stop();
  };
}

export default { render };
