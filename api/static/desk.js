/* Keys for the desk. Everything that they do can be done without them: they follow links and send forms that are on the page. */
(function () {
  "use strict";

  const CHOSEN = "voice-chosen";
  let place = -1;

  const rows = () => Array.from(document.querySelectorAll("[data-row]"));
  const dialog = () => document.getElementById("keys");

  function choose(index) {
    const all = rows();
    if (!all.length) return;
    place = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((row, at) => row.classList.toggle(CHOSEN, at === place));
    const link = all[place].querySelector(".voice-link");
    link.focus({ preventScroll: true });
    all[place].scrollIntoView({ block: "nearest" });
  }

  function move(step, key) {
    if (rows().length) {
      choose(place < 0 ? 0 : place + step);
      return;
    }
    const beside = document.querySelector(`[data-key="${key}"]`);
    if (beside) beside.click();
  }

  function accept() {
    const room = rows()[place] || (rows().length ? null : document);
    const form = room && room.querySelector("[data-accept]");
    if (form) form.requestSubmit();
  }

  const boxes = () => Array.from(document.querySelectorAll("[data-choose]"));

  /* The bar for several cases appears with the first one that is chosen. */
  function count() {
    const bar = document.getElementById("bulk");
    if (!bar) return;
    const chosen = boxes().filter((box) => box.checked).length;
    bar.classList.toggle("bulk-idle", chosen === 0);
    bar.querySelector("[data-chosen-count]").textContent = `${chosen}件`;
    const all = bar.querySelector("[data-check-all]");
    all.hidden = false;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && chosen < boxes().length;
    boxes().forEach((box) => box.closest("[data-row]").classList.toggle("voice-picked", box.checked));
  }

  function pick() {
    const box = rows()[place] && rows()[place].querySelector("[data-choose]");
    if (!box) return;
    box.checked = !box.checked;
    count();
  }

  /* Opens the form that belongs to a key, for the chosen line when no box is checked. */
  function open(key) {
    if (rows().length && !boxes().some((box) => box.checked)) pick();
    const room = document.querySelector(`details[data-bulk="${key}"]`);
    if (!room) return;
    room.open = true;
    room.querySelector("select").focus();
  }

  const ACTIONS = {
    a: () => {
      const link = document.querySelector('[data-key="a"]');
      if (link) link.click();
    },
    x: pick,
    d: () => open("d"),
    t: () => open("t"),
    c: () => open("c"),
    z: () => {
      const button = document.querySelector("[data-undo]");
      if (button) button.click();
    },
    j: () => move(1, "j"),
    k: () => move(-1, "k"),
    e: accept,
    "/": () => {
      const box = document.getElementById("f-q");
      if (box) box.focus();
    },
    "?": () => dialog() && dialog().showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, select, textarea, dialog, [contenteditable]")) {
      if (event.key === "Escape" && event.target.id === "f-q") event.target.blur();
      return;
    }
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) place = rows().indexOf(row);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-check-all]")) boxes().forEach((box) => (box.checked = event.target.checked));
    if (event.target.matches("[data-check-all], [data-choose]")) count();
  });

  const FORMS = "details.bulk-more[open], details.case-more[open]";

  /* One form of the bar is open at a time, and Escape closes what is open. */
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details[data-bulk]") || !event.target.open) return;
    document.querySelectorAll("details[data-bulk][open]").forEach((room) => room !== event.target && (room.open = false));
  }, true);

  document.addEventListener("keydown", (event) => {
    const room = event.key === "Escape" && event.target.closest && event.target.closest(FORMS);
    if (!room) return;
    room.open = false;
    room.querySelector("summary").focus();
  });

  /* After a swap the same place in the list is chosen again, so that e, e, e goes down the list. */
  document.addEventListener("htmx:afterSwap", (event) => {
    count();
    if (place >= 0 && rows().length) choose(place);
    /* The next voice took the place of the one before: read from its beginning. */
    if (event.detail.boosted) {
      const main = document.getElementById("main");
      main.blur(); /* it stays: focused already, it would not be read out */
      main.focus({ preventScroll: true });
      showOpener();
    }
  });

  /* A voice that isn't there any more says so on a page of its own. */
  document.addEventListener("htmx:responseError", (event) => {
    const link = event.target.closest("[data-key]");
    if (link) location.assign(link.href);
  });

  /* On a narrow screen the rows of tabs and of the menu scroll; the one that is open should be in view. */
  function showTab(tab) {
    const list = tab.closest("ul");
    list.scrollLeft = tab.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
  }

  function ready() {
    count();
    document.querySelectorAll(".tabs [aria-current], .staff-nav [aria-current]").forEach(showTab);
    showOpener();
  }

  function showOpener() {
    const opener = document.querySelector("[data-open-keys]");
    if (opener && dialog()) opener.hidden = false;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-keys]")) dialog().showModal();
  });

  ready();
})();
