"use strict";
// All text of cases, targets and the wire reaches the page through textContent alone.
(() => {
  const $ = (id) => document.getElementById(id);
  const read = (id) => JSON.parse($(id).textContent);
  const symbols = { pass: "✓", fail: "✕", "known-fail": "≈", fixed: "↑", skip: "–", error: "!" };
  const facts = read("facts");
  const rows = [...document.querySelectorAll("tr.case")].map((element) => {
    const head = element.querySelector("th");
    const verdicts = element.dataset.v.split(" ");
    return {
      element, verdicts,
      link: head.querySelector("a"),
      id: element.id,
      family: element.parentElement.dataset.family,
      level: element.dataset.l,
      text: (head.textContent + " " + element.dataset.t).toLowerCase(),
      place: element.dataset.i,
    };
  });
  const byId = new Map(rows.map((row) => [row.id, row]));
  const bodies = [...document.querySelectorAll("tbody[data-family]")];

  function make(name, properties, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key === "class") element.className = value;
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  // ---- filters -------------------------------------------------------------------------------
  const text = $("f-text"), verdict = $("f-verdict"), family = $("f-family"), level = $("f-level"), target = $("f-target");
  const selects = [verdict, family, level, target];
  const only = make("style", {});
  document.head.append(only);

  function wanted(row, words, place) {
    if (family.value && row.family !== family.value) return false;
    if (level.value && row.level !== level.value) return false;
    if (!words.every((word) => row.text.includes(word))) return false;
    const here = place < 0 ? row.verdicts : [row.verdicts[place]];
    if (place >= 0 && here[0] === "none") return false;
    if (verdict.value === "differs") return new Set(row.verdicts.filter((v) => v !== "none" && v !== "skip")).size > 1;
    return !verdict.value || here.includes(verdict.value);
  }

  function filter() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const place = target.value ? facts.targets.indexOf(target.value) : -1;
    let shown = 0;
    for (const row of rows) {
      row.element.hidden = !wanted(row, words, place);
      shown += row.element.hidden ? 0 : 1;
    }
    for (const body of bodies) body.hidden = !body.querySelector("tr.case:not([hidden])");
    only.textContent = place < 0 ? "" : `.matrix .c-v:not(.t${place}), .matrix .family td:not(.t${place}) { display: none }`;
    for (const select of selects) select.classList.toggle("on", select.value !== "");
    for (const button of document.querySelectorAll(".tallies button")) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict.value && button.dataset.target === target.value));
    }
    $("f-count").textContent = shown === rows.length ? `${shown} cases` : `${shown} of ${rows.length} cases`;
    $("empty").hidden = shown > 0;
    $("table").hidden = shown === 0;
  }

  function reset() {
    $("filters").reset();
    filter();
    text.focus();
  }

  let waiting = 0;
  text.addEventListener("input", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(filter); });
  for (const select of selects) select.addEventListener("change", filter);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("f-reset").addEventListener("click", (event) => { event.preventDefault(); reset(); });
  $("empty-reset").addEventListener("click", reset);
  for (const button of document.querySelectorAll(".tallies button")) {
    button.addEventListener("click", () => {
      const again = button.getAttribute("aria-pressed") === "true";
      target.value = again ? "" : button.dataset.target;
      verdict.value = again ? "" : button.dataset.verdict;
      filter();
      $("matrix").scrollIntoView({ block: "start" });
    });
  }
  // On a phone each verdict carries its target's name.
  for (const cell of document.querySelectorAll("td.c-v")) {
    if (cell.firstElementChild) cell.firstElementChild.dataset.on = cell.dataset.label;
  }

  // ---- the panel -----------------------------------------------------------------------------
  const panel = $("panel"), inner = panel.querySelector(".inner");
  let current = null;
  const fragment = (id, on) => "#" + encodeURIComponent(on === undefined ? id : `${id}@${on}`).replace(/%2F/g, "/").replace(/%40/g, "@");
  const badge = (name) => make("span", { class: `v ${name}` }, make("b", { "aria-hidden": "true" }, symbols[name] || ""), name);

  // Escapes stand between U+0001 and U+0002.
  function withEscapes(parent, line) {
    for (const [place, part] of line.split(/[\u0001\u0002]/).entries()) {
      if (part) parent.append(place % 2 ? make("span", { class: "esc" }, part) : part);
    }
    return parent;
  }

  function message(title, lines) {
    if (!lines) return [make("h4", {}, title), make("p", { class: "nothing" }, "nothing")];
    const pre = make("pre", {});
    let head = true;
    lines.forEach((line, place) => {
      if (place) pre.append("\n");
      head = head && line !== "";
      const colon = line.indexOf(":");
      if (place === 0) pre.append(withEscapes(make("span", { class: "start" }), line));
      else if (head && colon > 0 && !/[\u0001\u0002]/.test(line.slice(0, colon))) {
        pre.append(make("span", { class: "field" }, line.slice(0, colon + 1)));
        withEscapes(pre, line.slice(colon + 1));
      } else withEscapes(pre, line);
    });
    return [make("h4", {}, title), pre];
  }

  function exchange(wire, open) {
    const left = make("div", { class: "hop" }, ...message("Request", wire.request), ...message("Response", wire.response));
    const right = make("div", { class: "hop" });
    if (!wire.origin.length) right.append(make("h4", {}, "The origin"), make("p", { class: "nothing" }, "saw nothing"));
    wire.origin.forEach((seen, place) => {
      const nth = wire.origin.length > 1 ? ` (${place + 1} of ${wire.origin.length})` : "";
      right.append(...message("The origin saw" + nth, seen.request), ...message("The origin answered" + nth, seen.response));
    });
    const first = make("span", { class: "what" });
    withEscapes(first, (wire.request[0] || "").slice(0, 120));
    const summary = make("summary", {}, make("strong", {}, wire.step), first, make("span", {}, `client ${wire.client}`), make("span", {}, wire.duration), wire.note && make("span", { class: "note" }, wire.note));
    const details = make("details", { class: "wire box" }, summary, make("div", { class: "hops" }, left, right));
    details.open = open;
    return details;
  }

  function failure(failed) {
    const pre = make("pre", { class: "code" });
    failed.text.split("\n").forEach((line, place) => {
      if (place) pre.append("\n");
      const caret = place === 0 || /^[\s|│]*\^/.test(line);
      pre.append(caret ? make("span", { class: "caret" }, line) : line);
    });
    return make("div", { class: "box failure" }, pre);
  }

  function section(title, ...children) {
    return children.length ? make("section", {}, make("h3", {}, title), ...children) : null;
  }

  function copyButton(value) {
    const button = make("button", { type: "button" }, "Copy");
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(value); button.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(button.previousElementSibling); }
    });
    return button;
  }

  function stack(children) {
    const list = make("div", {});
    list.style.display = "grid";
    list.style.gap = ".6rem";
    list.append(...children);
    return list;
  }

  function onTarget(result) {
    const parts = [];
    const about = make("p", { class: "p-facts" }, badge(result.verdict), make("span", {}, result.duration));
    if (result.clock) about.append(make("span", {}, `time moved by: ${result.clock}`));
    if (result.flake) about.append(make("span", {}, `${result.flake.runs} runs, flake rate ${result.flake.rate}:`), make("span", {}, result.flake.verdicts.map((v) => symbols[v]).join(" ")));
    parts.push(about);
    if (result.reason && !(result.verdict === "fail" && result.failures.length)) parts.push(make("p", { class: `p-reason ${result.verdict}` }, result.reason));
    if (result.failures.length) parts.push(section("What did not hold", stack(result.failures.map(failure))));
    const about_failure = new Set(result.failures.map((failed) => failed.exchange).filter((place) => place !== null));
    const few = result.exchanges.length <= 2;
    if (result.exchanges.length) parts.push(section("On the wire", stack(result.exchanges.map((wire, place) => exchange(wire, few || about_failure.has(place) || (!about_failure.size && place === 0))))));
    for (const log of result.logs) {
      parts.push(section(`Its ${log.log} log`, make("div", { class: "box" }, make("pre", { class: "code" }, log.lines.join("\n")))));
    }
    if (result.figures.length) {
      const body = make("tbody", {}, ...result.figures.map((figure) => make("tr", {}, make("td", {}, figure.name), make("td", { class: "num" }, make("strong", {}, figure.value)), make("td", {}, figure.unit), make("td", { class: "samples" }, figure.samples.join(" · ")))));
      parts.push(section("Figures", make("div", { class: "scroll" }, make("table", { class: "figures" }, body))));
    }
    for (const play of result.earlier) {
      const about = make("p", { class: "p-facts" }, badge(play.verdict), make("span", {}, play.duration), make("span", {}, `not believed: ${play.why}`));
      const reason = play.failures.length ? null : make("p", { class: `p-reason ${play.verdict}` }, play.reason || "");
      parts.push(section("Found before it was played again", about, reason, stack([...play.failures.map(failure), ...play.exchanges.map((wire) => exchange(wire, false))])));
    }
    parts.push(section("Play it again", make("div", { class: "box again" }, make("pre", { class: "code" }, result.reproduce), copyButton(result.reproduce))));
    return parts;
  }

  function gravest(results) {
    for (const name of ["fail", "error", "known-fail", "fixed", "pass"]) {
      const found = results.findIndex((result) => result.verdict === name);
      if (found >= 0) return found;
    }
    return 0;
  }

  function show(row, on) {
    const data = read(`case-${row.place}`);
    let chosen = data.results.findIndex((result) => result.target === on);
    if (chosen < 0) chosen = gravest(data.results);
    const result = data.results[chosen];
    const bar = make("div", { class: "p-bar" }, make("code", { title: data.id }, data.id),
      make("button", { type: "button", "aria-label": "Previous case (k)", title: "Previous case (k)", onclick: () => step(-1) }, "↑"),
      make("button", { type: "button", "aria-label": "Next case (j)", title: "Next case (j)", onclick: () => step(1) }, "↓"),
      make("button", { type: "button", "aria-label": "Close", title: "Close (Esc)", onclick: () => panel.close() }, "✕"));
    const about = make("p", { class: "p-facts" }, make("span", { class: `tag ${data.level}` }, data.level), make("span", {}, data.spec), make("code", {}, data.file), ...data.tags.map((tag) => make("span", { class: "tag" }, tag)));
    const head = make("div", {}, make("h2", { id: "p-name", tabindex: "-1" }, data.name), about, data.explain && make("p", { class: "explain" }, data.explain));
    const tabs = make("div", { class: "tabs", role: "tablist", "aria-label": "Targets" }, ...data.results.map((other, place) =>
      make("button", { type: "button", role: "tab", "aria-selected": String(place === chosen), tabindex: place === chosen ? "0" : "-1", onclick: () => go(row.id, other.target) }, other.target, badge(other.verdict))));
    tabs.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = (chosen + by + data.results.length) % data.results.length;
      go(row.id, data.results[next].target);
      inner.querySelector("[aria-selected=true]").focus();
    });
    const view = make("div", { class: "p-body", role: "tabpanel", style: "padding:0" }, ...onTarget(result));
    inner.replaceChildren(bar, make("div", { class: "p-body" }, head, tabs, view));
    if (current) current.element.classList.remove("open");
    current = row;
    row.element.classList.add("open");
    panel.scrollTop = 0;
    if (!panel.open) panel.showModal();
    $("p-name").focus({ preventScroll: true });
  }

  function go(id, on) {
    history.replaceState(null, "", fragment(id, on));
    route();
  }

  function step(by) {
    const visible = rows.filter((row) => !row.element.hidden || row === current);
    const next = visible[visible.indexOf(current) + by];
    if (next) go(next.id);
  }

  function route() {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const at = name.lastIndexOf("@");
    if (byId.has(name)) show(byId.get(name));
    else if (at > 0 && byId.has(name.slice(0, at))) show(byId.get(name.slice(0, at)), name.slice(at + 1));
    else if (panel.open) panel.close();
  }

  panel.addEventListener("close", () => {
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    if (!current) return;
    current.element.classList.remove("open");
    if (!current.element.hidden) current.link.focus({ preventScroll: true });
    current.element.scrollIntoView({ block: "nearest" });
    current = null;
  });
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  addEventListener("hashchange", route);

  // ---- keys ----------------------------------------------------------------------------------
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (panel.open) {
      if (event.key === "j") step(1);
      if (event.key === "k") step(-1);
      return;
    }
    if (event.key === "/" && !typing) { event.preventDefault(); text.focus(); text.select(); }
    if (event.key === "Escape" && event.target === text && text.value) { text.value = ""; filter(); }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || event.target.matches("select")) return;
    const links = rows.filter((row) => !row.element.hidden).map((row) => row.link);
    const here = links.indexOf(document.activeElement);
    if (here < 0 && event.target !== text) return;
    const next = links[here + by];
    if (next) { event.preventDefault(); next.focus(); }
  });

  filter();
  route();
})();
