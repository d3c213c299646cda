/** The clipboard, also where the browser withholds it. */
import { make } from "./dom.js";

/** @param {string} text @returns {Promise<boolean>} Whether it was copied. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that was not served securely has no clipboard; the old way still works there.
    const area = make("textarea", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** @param {string} name @returns {Promise<string>} What became of copying it, in words. */
export async function copyName(name) {
  return (await copied(name)) ? `Copied ${name}` : `This browser does not let the page copy. The name is ${name}`;
}
