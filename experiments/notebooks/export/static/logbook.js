/** Earlier logs, where they are asked for; the search begins anew with them. */
"use strict";
{
  const earlier = document.querySelector("#earlier");
  const search = /** @type {HTMLInputElement | null} */ (document.querySelector(".search input"));
  earlier?.addEventListener("change", () => search?.dispatchEvent(new Event("input")));
}
