/** The map as a picture file, with a line that says what it shows. */
import { count } from "./format.js";

/** @import { Viewer } from "./viewer.js" */

const FOOT = 28;

/** @param {Viewer} viewer @returns {HTMLCanvasElement} */
export function picture(viewer) {
  const { canvas } = viewer.map;
  const palette = viewer.context.palette();
  const { step, selected } = viewer.store.state;
  const ratio = canvas.width / Math.max(1, viewer.map.size.width);
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height + Math.round(FOOT * ratio);
  const pen = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
  pen.fillStyle = palette.page;
  pen.fillRect(0, 0, copy.width, copy.height);
  pen.drawImage(canvas, 0, 0);
  pen.scale(ratio, ratio);
  pen.fillStyle = palette.text;
  pen.font = "13px system-ui, -apple-system, 'Segoe UI', sans-serif";
  pen.textBaseline = "middle";
  const parts = [viewer.options.title, `step ${count(step)} of ${count(viewer.replay.steps - 1)}`];
  if (selected >= 0) parts.push(viewer.facts.title(selected));
  pen.fillText(parts.join(" \u00b7 "), 10, viewer.map.size.height + FOOT / 2, viewer.map.size.width - 20);
  return copy;
}

/** @param {Viewer} viewer */
export function savePicture(viewer) {
  viewer.map.draw();
  picture(viewer).toBlob((blob) => {
    if (!blob) {
      viewer.hint("The picture could not be made");
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    const name = viewer.options.title.replace(/[^\w.-]+/g, "-").slice(0, 60);
    link.download = `${name || "replay"}-step-${viewer.store.state.step}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}
