/** Sections that stand below each other become tabs. */
"use strict";
{
  /** @param {HTMLElement} group */
  const make = (group) => {
    const panels = /** @type {HTMLElement[]} */ ([...group.children].filter((node) => node.classList.contains("tab")));
    if (panels.length < 2) return;
    const bar = document.createElement("div");
    bar.role = "tablist";
    const buttons = panels.map((panel) => {
      const button = document.createElement("button");
      button.role = "tab";
      button.textContent = panel.ariaLabel;
      panel.role = "tabpanel";
      bar.append(button);
      return button;
    });
    /** @param {number} at */
    const choose = (at) => {
      panels.forEach((panel, i) => panel.classList.toggle("away", i !== at));
      buttons.forEach((button, i) => {
        button.ariaSelected = String(i === at);
        button.tabIndex = i === at ? 0 : -1;
      });
      dispatchEvent(new Event("resize")); // a chart that was away has no width yet
    };
    buttons.forEach((button, i) => {
      button.addEventListener("click", () => choose(i));
      button.addEventListener("keydown", ({ key }) => {
        const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: buttons.length - 1 }[key];
        if (to === undefined) return;
        const next = (to + buttons.length) % buttons.length;
        choose(next);
        buttons[next].focus();
      });
    });
    group.prepend(bar);
    choose(Math.max(0, panels.findIndex((panel) => "first" in panel.dataset)));
  };

  for (const group of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".tabs"))) make(group);
}
