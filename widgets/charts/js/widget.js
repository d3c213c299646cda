/** The widget: a chart that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { whenSeen } from "../../page/js/live.js";
import { listen } from "../../page/js/model.js";
import { ChartView } from "./chart-view.js";

/** @import { Model } from "./chart-view.js" */

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const chart = new ChartView(model, el.appendChild(make("div.chart-root.look")));
  let due = "";
  // Several traits arrive in one message: the form decides, so it is looked at once all of them are there.
  const seen = whenSeen(() => {
    chart.held.take();
    const now = due;
    due = "";
    if (now) void (now === "draw" ? chart.draw() : chart.feed());
  });
  const later = /** @param {"draw" | "feed"} what */ (what) => {
    due = due === "draw" ? due : what;
    seen.due();
  };
  const tell = () => chart.tell();
  const stop = listen(model, {
    spec: () => later("draw"), params: () => later("feed"), caption: tell, summary: tell, zoom: () => chart.follow(), brush: tell,
  });
  const stopHearing = chart.held.listen((piece) => {
    chart.note(piece);
    later("feed");
  });
  void chart.draw();
  return () => {
    stop();
    stopHearing();
    seen.stop();
    chart.close();
  };
}

export default { render };
