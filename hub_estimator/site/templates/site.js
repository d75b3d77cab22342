// What pages do beyond being read: filter the list of models, and fill in where the site is served.
"use strict";

const root = new URL(".", document.currentScript ? document.currentScript.src : location.href);

for (const part of document.querySelectorAll(".base[data-unknown]")) {
  if (root.protocol.startsWith("http")) part.textContent = root.href.replace(/\/$/, "");
}

const query = document.getElementById("query");
if (query) {
  const items = Array.from(document.querySelectorAll("#models > li"), (item) => ({
    item,
    text: item.textContent.toLowerCase(),
  }));
  const found = document.getElementById("found");
  const filter = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const { item, text } of items) {
      item.hidden = !words.every((word) => text.includes(word));
      number += item.hidden ? 0 : 1;
    }
    const all = `${items.length} ${items.length === 1 ? "model" : "models"}`;
    found.textContent = words.length ? `${number} of ${all}` : all;
  };
  document.getElementById("search").hidden = false;
  query.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== query) {
      event.preventDefault();
      query.focus();
    }
  });
  filter(); // browsers keep what was typed
}
