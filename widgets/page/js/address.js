/** The address of the page: what is chosen stands in it, so that it can be sent to somebody. */

/** @param {Record<string, string>} values By parameter; an empty one takes it out. */
export function remember(values) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  history.replaceState(history.state, "", address);
}
