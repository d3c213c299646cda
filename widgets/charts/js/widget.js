/** The widget: a chart that follows the model's traits. All text is set as text, never as HTML. */
import { make } from "../../page/js/dom.js";
import { listen } from "../../page/js/model.js";
import { ChartView } from "./chart-view.js";

/** @import { Model } from "./chart-view.js" */

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const chart = new ChartView(model, el.appendChild(make("div.chart-root.look")));
  let due = "";
  const act = () => {
    const now = due;
    due = "";
    void (now === "draw" ? chart.draw() : chart.feed());
  };
  // Several traits arrive in one message: the form decides, so it is looked at once all of them are there.
  const later = /** @param {"draw" | "feed"} what */ (what) => {
    if (!due) queueMicrotask(act);
    due = due === "draw" ? due : what;
  };
  const tell = () => chart.tell();
  const stop = listen(model, {
    spec: () => later("draw"), datasets: () => later("feed"), params: () => later("feed"), caption: tell, summary: tell, zoom: () => chart.follow(), brush: tell,
  });
  void chart.draw();
  return () => {
    stop();
    chart.close();
  };
}

export default { render };
