/** Tables that sort by a click on a heading and are searched as one types; without scripts they are plain tables. */
"use strict";
{
  /** @param {HTMLTableRowElement} row @param {number} at */
  const key = (row, at) => {
    const cell = row.cells[at];
    if (!cell) return null;
    const said = cell.dataset.v;
    if (said !== undefined) return Number(said);
    return cell.classList.contains("n") ? null : (cell.textContent ?? "").trim();
  };

  /** What is missing stands last. @param {number | string | null} a @param {number | string | null} b */
  const compare = (a, b) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };

  /** @param {HTMLTableElement} table @param {HTMLTableCellElement} head */
  const sort = (table, head) => {
    const down = head.ariaSort === "ascending";
    for (const other of table.tHead?.rows[0].cells ?? []) other.removeAttribute("aria-sort");
    head.ariaSort = down ? "descending" : "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: key(row, head.cellIndex) }));
    rows.sort((a, b) => (a.key === null || b.key === null || !down ? compare(a.key, b.key) : compare(b.key, a.key)));
    body.append(...rows.map(({ row }) => row));
  };

  /** @param {HTMLTableElement} table */
  const addSort = (table) => {
    for (const head of table.tHead?.rows[0].cells ?? []) {
      const button = document.createElement("button");
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head));
      head.append(button);
    }
  };

  /** @param {HTMLTableElement} table */
  const addSearch = (table) => {
    const field = document.createElement("input");
    field.type = "search";
    const things = table.dataset.search || "rows";
    field.placeholder = table.dataset.search ? `Search the ${things}` : "Search this table";
    field.ariaLabel = field.placeholder;
    const count = document.createElement("span");
    count.className = "quiet";
    count.role = "status";
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, text: (row.textContent ?? "").toLowerCase() }));
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (row.getClientRects().length) shown++;
      }
      count.textContent = words.length ? `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${things}` : "";
    });
    const bar = document.createElement("div");
    bar.className = "search";
    bar.append(field, count);
    table.closest(".table")?.before(bar);
  };

  for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll(".table table"))) {
    if (!table.tHead || !table.tBodies.length) continue;
    addSort(table);
    if ("search" in table.dataset) addSearch(table);
  }
}
