// The logbook works without this script; with it, it can be searched and sorted.

/** @returns {void} */
function start() {
  const table = /** @type {HTMLTableElement | null} */ (document.querySelector("table.logs"));
  const search = /** @type {HTMLInputElement | null} */ (document.querySelector("#search"));
  const count = document.querySelector("#count");
  const theme = document.querySelector("#theme");
  theme?.addEventListener("click", switchTheme);
  if (!table || !search || !count) return;
  const rows = [...table.tBodies[0].rows];
  const earlier = /** @type {HTMLInputElement | null} */ (document.querySelector("#earlier"));
  for (const tool of document.querySelectorAll(".tools [hidden]")) tool.removeAttribute("hidden");
  const narrow = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every((word) => textOf(row).includes(word));
    const open = rows.filter((row) => !row.hidden && (earlier?.checked || !row.classList.contains("earlier")));
    count.textContent = open.length === 1 ? "1 log" : `${open.length} logs`;
  };
  search.addEventListener("input", narrow);
  earlier?.addEventListener("change", narrow);
  for (const [index, heading] of [...table.tHead?.rows[0].cells ?? []].entries()) {
    heading.querySelector("button")?.addEventListener("click", () => sort(table, heading, index));
  }
  narrow();
}

/**
 * @param {HTMLTableRowElement} row
 * @returns {string}
 */
function textOf(row) {
  return (row.textContent ?? "").toLowerCase();
}

/**
 * Sort by a column: what has no value comes last either way.
 * @param {HTMLTableElement} table
 * @param {HTMLTableCellElement} heading
 * @param {number} index
 */
function sort(table, heading, index) {
  const down = heading.getAttribute("aria-sort") !== "descending";
  for (const other of table.tHead?.rows[0].cells ?? []) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const valueOf = (/** @type {HTMLTableRowElement} */ row) => row.cells[index].dataset.value ?? "";
  const numeric = heading.dataset.kind === "number";
  const sorted = [...body.rows].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (!x || !y) return (x ? 0 : 1) - (y ? 0 : 1);
    const order = numeric ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    return down ? -order : order;
  });
  body.append(...sorted);
}

/** @returns {void} */
function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

start();
