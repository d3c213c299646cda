/** Colours for canvases; the same values stand in viewer.css as variables for the page. Pure. */

/**
 * @typedef {object} Palette
 * @property {string} page @property {string} raised @property {string} text @property {string} muted
 * @property {string} hairline @property {string} accent @property {string} onMark Letters on a coloured mark.
 * @property {string} floor @property {string} wall @property {string} grid
 * @property {string} good @property {string} bad @property {string} cold @property {string} gain @property {string} talk
 * @property {string} fog @property {string} heat
 * @property {string[]} series Eight colours safe for the common colour blindnesses.
 */

const NAMES = "page raised text muted hairline accent onMark floor wall grid good bad cold gain talk fog heat".split(" ");

/** @param {string} colours In the order of the names. @param {string} marks Of the series. @returns {Palette} */
function named(colours, marks) {
  const values = colours.split(" ");
  return /** @type {any} */ ({ ...Object.fromEntries(NAMES.map((name, i) => [name, values[i]])), series: marks.split(" ") });
}

export const palettes = {
  light: named(
    "#ffffff #f6f8fa #1c2128 #57606a #d0d7de #0072b2 #ffffff #ffffff #b4bcc6 #1c212812 #1a7f37 #c62828 #1f6feb #9a6700 #6e5494 #1c21286b #d55e00",
    "#0072b2 #d55e00 #008a62 #b5477d #8a6d00 #5a5fc8 #3f8f9b #7a4b2a"),
  dark: named(
    "#14171c #1c2128 #e6edf3 #a0a8b3 #30363d #56b4e9 #14171c #14171c #484f59 #e6edf312 #4ac26b #ff8a80 #6cb0ff #e3b341 #c3a6ff #00000099 #ff9248",
    "#56b4e9 #ff9248 #2fc79a #e58fbc #e6c84f #9ba2ff #74cbd6 #c9966f"),
};

/** @param {Palette} palette @param {number} index Of a team, a type's hue or an item. @returns {string} */
export function series(palette, index) {
  return palette.series[index % 8];
}
