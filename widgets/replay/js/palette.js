/** Colours for canvases; the same values stand in viewer.css as variables for the page. Pure. */

/**
 * @typedef {object} Palette
 * @property {string} page @property {string} raised @property {string} text @property {string} muted
 * @property {string} hairline @property {string} accent @property {string} onMark Letters on a coloured mark.
 * @property {string} floor @property {string} wall @property {string} grid
 * @property {string} good @property {string} bad @property {string} cold @property {string} gain @property {string} talk
 * @property {string} fog @property {[number, number, number]} heat
 * @property {string[]} series Eight colours safe for the common colour blindnesses.
 */

/** @type {{light: Palette, dark: Palette}} */
export const palettes = {
  light: {
    page: "#ffffff", raised: "#f6f8fa", text: "#1c2128", muted: "#57606a", hairline: "#d0d7de", accent: "#0072b2",
    onMark: "#ffffff", floor: "#ffffff", wall: "#b4bcc6", grid: "rgba(28,33,40,0.07)",
    good: "#1a7f37", bad: "#c62828", cold: "#1f6feb", gain: "#9a6700", talk: "#6e5494", fog: "rgba(28,33,40,0.42)", heat: [213, 94, 0],
    series: ["#0072b2", "#d55e00", "#008a62", "#b5477d", "#8a6d00", "#5a5fc8", "#3f8f9b", "#7a4b2a"],
  },
  dark: {
    page: "#14171c", raised: "#1c2128", text: "#e6edf3", muted: "#a0a8b3", hairline: "#30363d", accent: "#56b4e9",
    onMark: "#14171c", floor: "#14171c", wall: "#484f59", grid: "rgba(230,237,243,0.07)",
    good: "#4ac26b", bad: "#ff8a80", cold: "#6cb0ff", gain: "#e3b341", talk: "#c3a6ff", fog: "rgba(0,0,0,0.6)", heat: [255, 146, 72],
    series: ["#56b4e9", "#ff9248", "#2fc79a", "#e58fbc", "#e6c84f", "#9ba2ff", "#74cbd6", "#c9966f"],
  },
};

/** @param {Palette} palette @param {number} index @returns {string} */
export function series(palette, index) {
  return palette.series[((index % 8) + 8) % 8];
}
