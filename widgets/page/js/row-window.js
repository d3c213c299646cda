/** A list of rows of one height of which those in sight alone are in the page; empty rows keep the room of the others. */
import { arrange, make } from "./dom.js";

const AHEAD = 8; // rows beyond each edge

export class RowWindow {
  from = 0;
  to = 0;
  isPrinted = false;
  gaps = [make("tr", { role: "presentation" }), make("tr", { role: "presentation" })];

  /**
   * @param {HTMLElement} scroll What scrolls. @param {HTMLElement} body What has the rows. @param {HTMLElement} head What covers the first of it.
   * @param {number} height Pixels of a row. @param {() => void} moved Told when other rows are in sight.
   */
  constructor(scroll, body, head, height, moved) {
    this.scroll = scroll;
    this.body = body;
    this.head = head;
    this.height = height;
    this.moved = moved;
    this.sizes = new ResizeObserver(moved);
    this.sizes.observe(scroll);
    scroll.addEventListener("scroll", moved);
    for (const event of ["beforeprint", "afterprint"]) addEventListener(event, this.print);
  }

  /** Paper does not scroll. @param {Event} event */
  print = ({ type }) => {
    this.isPrinted = type === "beforeprint";
    this.moved();
  };

  /** Put the rows in sight into the page, and take out the others. @param {number} count @param {(at: number) => HTMLElement} row */
  place(count, row) {
    const { scrollTop, clientHeight } = this.scroll;
    [this.from, this.to] = this.isPrinted ? [0, count] : inSight(scrollTop, clientHeight, this.height, count, AHEAD);
    const [above, below] = [this.from, count - this.to].map((rows, at) => {
      this.gaps[at].style.height = `${rows * this.height}px`;
      return rows ? [this.gaps[at]] : [];
    });
    arrange(this.body, [...above, ...Array.from({ length: this.to - this.from }, (_, at) => row(this.from + at)), ...below]);
  }

  /** Scroll no farther than it takes to see a row. @param {number} at */
  reveal(at) {
    const [top, room] = [at * this.height, this.scroll.clientHeight - this.head.offsetHeight];
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top + this.height > this.scroll.scrollTop + room) this.scroll.scrollTop = top + this.height - room;
  }

  stop() {
    this.sizes.disconnect();
    for (const event of ["beforeprint", "afterprint"]) removeEventListener(event, this.print);
  }
}

/**
 * The rows of a list that have to be in the page.
 * @param {number} top Pixels that are scrolled out above. @param {number} height Pixels in sight. @param {number} row Pixels of each.
 * @param {number} count @param {number} ahead Rows on each side. @returns {[number, number]} From and up to.
 */
export function inSight(top, height, row, count, ahead) {
  const from = Math.min(count, Math.max(0, Math.floor(top / row) - ahead));
  return [from, Math.min(count, Math.max(from, Math.ceil((top + height) / row) + ahead))];
}
