/* Draws the map of topics: a point for each voice, coloured by what the table beside it says. The table stays for those who read it. */
(function () {
  "use strict";

  const FULL = 65535;
  const MOST = 100000; /* voices; of more the server chooses so many (loop/topic_map.py) */
  const MOST_SHAPES = 12000; /* points in sight that are drawn one by one; more are stamped into the picture */
  const QUIET = [217, 217, 222]; /* points that don't stand out */
  const MAX_ZOOM = 60;
  const LEAVES_FROM = 1.8; /* the zoom from which the topics below are named */
  const CELLS = 128;
  const MARK = 15; /* pixels before a name, for its mark */
  const REACH = 12; /* pixels in which a point is found */

  const figure = document.querySelector("[data-map]");
  const table = document.getElementById("map-topics");
  if (!figure || !table) return;
  const find = (name) => figure.querySelector(`[data-map-${name}]`);
  const [area, tip, now] = [find("area"), find("tip"), find("now")];
  const canvas = figure.querySelector("canvas");
  const pen = canvas.getContext("2d");

  /* The table's rows: the topics that they stand for, their colour and shape, where they lead. */
  const rows = Array.from(table.querySelectorAll("tr[data-topic]")).map((row) => {
    const mark = row.querySelector(".map-mark");
    const link = row.querySelector("th a");
    return {
      row,
      topic: Number(row.dataset.topic),
      family: Number(row.dataset.family),
      name: link.textContent,
      address: link.href,
      count: row.cells[1].textContent.match(/[\d,]+/)[0],
      colour: getComputedStyle(mark).fill.match(/\d+/g).slice(0, 3).map(Number),
      shape: Number(mark.dataset.shape),
      rest: row.classList.contains("topic-rest"),
      show: row.querySelector("[data-map-show]"),
    };
  });
  const rowOf = new Map(rows.map((row) => [row.topic, row]));

  let points = null;
  let chosen = null; /* the row that stands out as the address says */
  let pointed = null; /* the row that the mouse or the focus is on */
  let view = { x: 0.5, y: 0.5, zoom: 1 };
  let size = { width: 0, height: 0, ratio: 1 };
  let waiting = 0;

  /* What the server sends (loop/topic_map.py, packed). */
  function unpack(buffer) {
    const [count, topics, total] = new Uint32Array(buffer, 0, 3);
    const ids = new Uint32Array(buffer, 12, topics);
    const voices = new Uint32Array(buffer, 12 + 4 * topics, count);
    const begin = 12 + 4 * topics + 4 * count;
    const [xs, ys, own] = [0, 1, 2].map((part) => new Uint16Array(buffer, begin + 2 * part * count, count));
    const read = { count, total, voices, topics: Array.from(ids, (id) => rowOf.get(id) || null), own };
    read.x = Float32Array.from(xs, (value) => value / FULL);
    read.y = Float32Array.from(ys, (value) => value / FULL);
    return read;
  }

  /* Points by the cell of a grid that they lie in, so that the one under the mouse is found at once. */
  function index(read) {
    const cell = (at) => Math.min(CELLS - 1, Math.floor(read.y[at] * CELLS)) * CELLS + Math.min(CELLS - 1, Math.floor(read.x[at] * CELLS));
    read.starts = new Uint32Array(CELLS * CELLS + 1);
    for (let at = 0; at < read.count; at += 1) read.starts[cell(at) + 1] += 1;
    for (let at = 0; at < CELLS * CELLS; at += 1) read.starts[at + 1] += read.starts[at];
    const next = read.starts.slice();
    read.inCells = new Uint32Array(read.count);
    for (let at = 0; at < read.count; at += 1) {
      const here = cell(at);
      read.inCells[next[here]] = at;
      next[here] += 1;
    }
  }

  /* The middle of each row's points: where its name is written. */
  function middles(read) {
    const found = new Map();
    for (let at = 0; at < read.count; at += 1) {
      const row = read.topics[read.own[at]];
      if (!row) continue;
      for (const topic of new Set([row.topic, row.family])) {
        if (!found.has(topic)) found.set(topic, []);
        found.get(topic).push(at);
      }
    }
    const median = (values) => values.sort()[values.length >> 1];
    for (const [topic, members] of found) {
      const row = rowOf.get(topic);
      if (row) row.middle = { x: median(Float32Array.from(members, (at) => read.x[at])), y: median(Float32Array.from(members, (at) => read.y[at])) };
    }
  }

  const standing = () => pointed || chosen;
  const belongs = (row, to) => row === to || row.family === to.topic;
  const scale = () => Math.min(size.width, size.height) * view.zoom;
  const place = (x, y) => [size.width / 2 + (x - view.x) * scale(), size.height / 2 + (y - view.y) * scale()];
  const radius = () => Math.min(6, Math.max(1, Math.min(2.4, 190 / Math.sqrt(points.count))) * Math.sqrt(view.zoom) * Math.max(0.6, Math.min(size.width, size.height) / 620));

  function holdInside() {
    view.zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom));
    const least = Math.min(0.5, 0.45 / view.zoom);
    view.x = Math.min(1 - least, Math.max(least, view.x));
    view.y = Math.min(1 - least, Math.max(least, view.y));
    if (view.zoom === 1) view = { x: 0.5, y: 0.5, zoom: 1 };
    canvas.classList.toggle("map-zoomed", view.zoom > 1);
  }

  function redraw() {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
  }

  function draw() {
    if (!points || !size.width) return;
    const to = standing();
    const quiet = points.topics.map((row) => Boolean(to) && (!row || !belongs(row, to)));
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const seen = inSight();
    if (seen.length > MOST_SHAPES) stamp(seen, quiet);
    else shape(seen, quiet);
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    label(to);
  }

  function inSight() {
    const margin = 8 / scale();
    const [width, height] = [size.width / 2 / scale() + margin, size.height / 2 / scale() + margin];
    const seen = [];
    for (let at = 0; at < points.count; at += 1) {
      if (Math.abs(points.x[at] - view.x) < width && Math.abs(points.y[at] - view.y) < height) seen.push(at);
    }
    return seen;
  }

  const colourOf = (row, isQuiet) => (isQuiet || !row ? QUIET : row.colour);

  /* Many points: each written into the picture's own memory. */
  function stamp(seen, quiet) {
    const [wide, high] = [canvas.width, canvas.height];
    const picture = pen.createImageData(wide, high);
    const pixels = new Uint32Array(picture.data.buffer).fill(0xffffffff);
    const reach = radius() * size.ratio;
    const stamps = [0, 1, 2, 3, 4, 5].map((form) => covered(form, reach));
    const colours = points.topics.map((row, at) => {
      const [red, green, blue] = colourOf(row, quiet[at]);
      return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    });
    const edge = Math.ceil(reach) + 1;
    for (const layer of [true, false]) {
      for (const at of seen) {
        const own = points.own[at];
        if (quiet[own] !== layer) continue;
        const [x, y] = place(points.x[at], points.y[at]);
        const [left, top] = [Math.round(x * size.ratio), Math.round(y * size.ratio)];
        if (left < edge || top < edge || left >= wide - edge || top >= high - edge) continue;
        const middle = top * wide + left;
        const form = stamps[points.topics[own] ? points.topics[own].shape : 0];
        for (let part = 0; part < form.length; part += 2) pixels[middle + form[part + 1] * wide + form[part]] = colours[own];
      }
    }
    pen.putImageData(picture, 0, 0);
  }

  /* The pixels about a middle that a shape covers, as steps right and down. */
  function covered(form, reach) {
    const found = [];
    const most = Math.ceil(reach);
    if (reach < 2) form = 0; /* too small for a shape: all are as large, so that they look as dense */
    for (let down = -most; down <= most; down += 1) {
      for (let right = -most; right <= most; right += 1) {
        const [across, along] = [Math.abs(right), Math.abs(down)];
        const inside = [
          across * across + along * along <= reach * reach + 0.3,
          Math.max(across, along) <= reach * 0.85,
          across <= (down + reach) / 2 && down <= reach * 0.8,
          across + along <= reach * 1.15,
          across <= (reach - down) / 2 && -down <= reach * 0.8,
          Math.min(across, along) <= reach * 0.35 && Math.max(across, along) <= reach,
        ][form];
        if (inside || (!right && !down)) found.push(right, down);
      }
    }
    return found;
  }

  /* Few points: drawn with smooth edges. */
  function shape(seen, quiet) {
    pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
    const reach = radius();
    const groups = points.topics.map(() => []);
    for (const at of seen) groups[points.own[at]].push(at);
    const order = groups.map((_, own) => own).sort((one, other) => quiet[other] - quiet[one]);
    for (const own of order) {
      const row = points.topics[own];
      pen.beginPath();
      for (const at of groups[own]) outline(row ? row.shape : 0, ...place(points.x[at], points.y[at]), reach);
      pen.fillStyle = `rgb(${colourOf(row, quiet[own]).join(" ")})`;
      pen.fill();
    }
  }

  function outline(form, x, y, reach) {
    const corners = [
      null,
      [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
      [[0, -1], [1, 0.8], [-1, 0.8]],
      [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]],
      [[0, 1], [1, -0.8], [-1, -0.8]],
      [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]],
    ][form];
    if (!corners) {
      pen.moveTo(x + reach, y);
      pen.arc(x, y, reach, 0, 2 * Math.PI);
      return;
    }
    corners.forEach(([right, down], at) => pen[at ? "lineTo" : "moveTo"](x + right * reach, y + down * reach));
    pen.closePath();
  }

  /* Names of the larger topics at their middles, as long as none lies on another. */
  function label(to) {
    const close = view.zoom >= LEAVES_FROM;
    const shown = (row) => (to ? close && belongs(row, to) : !row.rest && (close || row.topic === row.family));
    const named = rows.filter((row) => row.middle && (row === to || shown(row)));
    named.sort((one, other) => (other === to) - (one === to));
    const taken = [];
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    for (const row of named) {
      const isTop = row.topic === row.family;
      const pixels = (isTop ? 15 : 13) - (size.width < 480 ? 2 : 0);
      pen.font = `${isTop ? 700 : 400} ${pixels}px ${getComputedStyle(document.body).fontFamily}`;
      const text = row.name.length > 16 ? `${row.name.slice(0, 15)}…` : row.name;
      const wide = pen.measureText(text).width + MARK;
      let [x, y] = place(row.middle.x, row.middle.y);
      if (x < 0 || y < 0 || x > size.width || y > size.height) continue;
      x = Math.min(size.width - wide - 4, Math.max(4, x - wide / 2));
      y = Math.min(size.height - pixels, Math.max(pixels, y));
      const box = [x - 4, y - pixels * 0.75, x + wide + 4, y + pixels * 0.75];
      if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      pen.fillStyle = "rgb(255 255 255 / 80%)";
      pen.beginPath();
      pen.roundRect(box[0], box[1], box[2] - box[0], box[3] - box[1], 4);
      pen.fill();
      pen.beginPath();
      outline(row.shape, x + 6, y, 5);
      pen.fillStyle = `rgb(${row.colour.join(" ")})`;
      pen.fill();
      pen.fillStyle = "#1a1a1a";
      pen.fillText(text, x + MARK, y);
    }
  }

  function nearest(x, y) {
    const to = standing();
    const [ux, uy] = [view.x + (x - size.width / 2) / scale(), view.y + (y - size.height / 2) / scale()];
    const reach = REACH / scale();
    const cell = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor(value * CELLS)));
    let [best, least] = [-1, reach * reach];
    for (let row = cell(uy - reach); row <= cell(uy + reach); row += 1) {
      for (let column = cell(ux - reach); column <= cell(ux + reach); column += 1) {
        for (let at = points.starts[row * CELLS + column]; at < points.starts[row * CELLS + column + 1]; at += 1) {
          const point = points.inCells[at];
          const own = points.topics[points.own[point]];
          if (!own || (to && !belongs(own, to))) continue;
          const apart = (points.x[point] - ux) ** 2 + (points.y[point] - uy) ** 2;
          if (apart < least) [best, least] = [point, apart];
        }
      }
    }
    return best;
  }

  /* What a point is: its topic at once, how its voice begins when the mouse rests on it. */
  const openings = new Map();
  let told = -1;
  let timer = 0;

  function tell(point, touched) {
    if (point === told && !touched) return;
    told = point;
    clearTimeout(timer);
    canvas.classList.toggle("map-on-point", point >= 0);
    tip.hidden = point < 0;
    if (point < 0) return;
    const row = points.topics[points.own[point]];
    const name = document.createElement(touched ? "a" : "strong");
    if (touched) name.href = row.address;
    name.textContent = row.name;
    const text = document.createElement("p");
    tip.classList.toggle("map-tip-touched", Boolean(touched));
    tip.replaceChildren(name, text);
    stand(point);
    const voice = points.voices[point];
    if (openings.has(voice)) text.textContent = openings.get(voice);
    else timer = setTimeout(() => open(voice, point, text), 150);
    stand(point);
  }

  async function open(voice, point, text) {
    const answer = await fetch(figure.dataset.mapVoices + voice).catch(() => null);
    if (!answer || !answer.ok) return;
    openings.set(voice, (await answer.json()).text);
    text.textContent = openings.get(voice);
    if (told === point) stand(point);
  }

  function stand(point) {
    const [x, y] = place(points.x[point], points.y[point]);
    const wide = tip.offsetWidth;
    tip.style.left = `${Math.min(Math.max(0, x - wide / 2), Math.max(0, size.width - wide))}px`;
    tip.style.top = y > size.height / 2 ? `${y - tip.offsetHeight - 14}px` : `${y + 14}px`;
  }

  function zoom(factor, x = size.width / 2, y = size.height / 2) {
    const before = scale();
    const [ux, uy] = [view.x + (x - size.width / 2) / before, view.y + (y - size.height / 2) / before];
    view.zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom * factor));
    view.x = ux - (x - size.width / 2) / scale();
    view.y = uy - (y - size.height / 2) / scale();
    settle();
  }

  function pan(right, down) {
    view.x -= right / scale();
    view.y -= down / scale();
    settle();
  }

  function settle() {
    holdInside();
    tell(-1);
    redraw();
  }

  function whole() {
    view = { x: 0.5, y: 0.5, zoom: 1 };
    settle();
  }

  function choose(row, write) {
    chosen = row;
    for (const each of rows) {
      if (each === row) each.show.setAttribute("aria-current", "true");
      else each.show.removeAttribute("aria-current");
      each.row.toggleAttribute("data-chosen", each === row);
    }
    const chip = document.querySelector("[data-map-chip]");
    if (write && chip) chip.remove();
    if (write) history.replaceState(null, "", row ? `?topic=${row.topic}` : location.pathname);
    say();
    redraw();
  }

  function say() {
    const [drawn, total] = [points.count.toLocaleString(), points.total.toLocaleString()];
    let part = `声 ${drawn} 件を描いています。`;
    if (points.total > MOST) part = `声 ${total} 件のうち ${drawn} 件を、どの話題からも同じ割合でえらんで描いています。`;
    else if (points.count < points.total) part = `声 ${total} 件のうち、場所の決まっている ${drawn} 件を描いています。場所は、話題を作り直すと決まります。`;
    now.textContent = chosen ? `「${chosen.name}」（${chosen.count}件）だけに色を付けています。${part}` : part;
  }

  function listen() {
    const fingers = new Map();
    let [moved, spread] = [0, 0];
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      if (!fingers.size) moved = 0;
      fingers.set(event.pointerId, at(event));
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const here = at(event);
      if (!fingers.has(event.pointerId)) {
        if (event.pointerType !== "touch") tell(nearest(...here));
        return;
      }
      const before = fingers.get(event.pointerId);
      fingers.set(event.pointerId, here);
      if (fingers.size === 1) {
        moved += Math.abs(here[0] - before[0]) + Math.abs(here[1] - before[1]);
        if (moved > 4) pan(here[0] - before[0], here[1] - before[1]);
        return;
      }
      const [one, other] = fingers.values();
      const apart = Math.hypot(one[0] - other[0], one[1] - other[1]);
      if (spread) zoom(apart / spread, (one[0] + other[0]) / 2, (one[1] + other[1]) / 2);
      [spread, moved] = [apart, Infinity];
    });
    const lift = (event) => {
      if (!fingers.delete(event.pointerId)) return;
      spread = 0;
      if (event.type !== "pointerup" || moved > 4 || fingers.size) return;
      const point = nearest(...at(event));
      if (event.pointerType === "touch") tell(point, true);
      else if (point >= 0) location.assign(points.topics[points.own[point]].address);
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("pointerleave", () => { if (!fingers.size && !tip.classList.contains("map-tip-touched")) tell(-1); });
    canvas.addEventListener("wheel", (event) => {
      if (event.deltaY > 0 && view.zoom === 1) return; /* the page goes on */
      event.preventDefault();
      zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 200), ...at(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = Math.min(size.width, size.height) / 8;
      const act = {
        "+": () => zoom(1.5), ";": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: whole,
        ArrowLeft: () => pan(step, 0), ArrowRight: () => pan(-step, 0), ArrowUp: () => pan(0, step), ArrowDown: () => pan(0, -step),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
    const acts = { in: () => zoom(1.5), out: () => zoom(1 / 1.5), all: whole };
    for (const button of figure.querySelectorAll("[data-map-zoom]")) button.addEventListener("click", acts[button.dataset.mapZoom]);
    for (const row of rows) {
      const on = () => { pointed = row; redraw(); };
      const off = () => { if (pointed === row) { pointed = null; redraw(); } };
      row.row.addEventListener("mouseenter", on);
      row.row.addEventListener("mouseleave", off);
      row.row.addEventListener("focusin", on);
      row.row.addEventListener("focusout", off);
      row.show.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        choose(chosen === row ? null : row, true);
      });
    }
    const saving = find("save");
    saving.hidden = false;
    saving.addEventListener("click", () => window.koenowaSavePicture(figure, canvas, size.ratio));
  }

  function fit() {
    const ratio = Math.max(1, window.devicePixelRatio || 1);
    const box = canvas.getBoundingClientRect();
    if (!box.width || (box.width === size.width && box.height === size.height && ratio === size.ratio)) return;
    size = { width: box.width, height: box.height, ratio };
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    draw();
  }

  async function start() {
    const none = find("none");
    none.textContent = "地図を読み込んでいます…";
    const answer = await fetch(figure.dataset.map).catch(() => null);
    if (!answer || !answer.ok) {
      none.textContent = "地図の点を読み込めませんでした。ページを開きなおしてください。表には、地図と同じ話題と件数があります。";
      return;
    }
    points = unpack(await answer.arrayBuffer());
    if (!points.count) {
      none.textContent = "地図に置かれた声がまだありません。koe topics fit を実行すると、地図ができます。";
      return;
    }
    index(points);
    middles(points);
    none.hidden = true;
    for (const name of ["area", "keys"]) find(name).hidden = false;
    figure.parentElement.classList.add("map-ready");
    listen();
    choose(rows.find((row) => row.row.hasAttribute("data-chosen")) || null, false);
    new ResizeObserver(fit).observe(canvas);
    fit();
  }

  start();
})();
