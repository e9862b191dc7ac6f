const MODES = [["Move", "panZoom"], ["Lasso", "lasso", "freeform"], ["Box", "lasso", "rectangle"]];
const KEYS = { ArrowDown: "next", ArrowRight: "next", ArrowUp: "previous", ArrowLeft: "previous", Enter: "open", Escape: "clear" };
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const NARROW = 500; // pixels, below which the plot is lower too

// Draws jupyter-scatter's widget in `box` and returns its model, the interface of its plot and a function that ends it.
async function drawScatter(model, box) {
  const scatter = await model.widget_manager.get_model(model.get("scatter").slice("IPY_MODEL_".length));
  // A view is drawn before it is part of the page, and has no colours until then.
  while (!box.isConnected && !box.dataset.gone) await new Promise(requestAnimationFrame);
  const paper = getComputedStyle(box).backgroundColor; // its own way to follow a theme: none
  scatter.set({ background_color: rgba(paper), ...(box.clientWidth < NARROW ? { height: 340 } : {}) });
  const view = await model.widget_manager.create_view(scatter);
  box.append(view.el);
  while (!box.dataset.gone) {
    const found = [...box.querySelectorAll("div")].find((element) => element.api);
    if (found) return [scatter, found.api, () => view.remove()];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  view.remove();
  return [];
}

// Points as the plot takes them: [x, y, place of the colour, place of the size].
function pointsOf(places, codes) {
  const where = new Float32Array(places.buffer.slice(places.byteOffset, places.byteOffset + places.byteLength));
  const look = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  return Array.from({ length: where.length / 2 }, (_, row) =>
    [where[2 * row], where[2 * row + 1], look[2 * row], look[2 * row + 1]]);
}

// Any colour of CSS as four numbers from 0 to 1.
function rgba(colour) {
  const context = h("canvas", { width: 1, height: 1 }).getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
}

function legend({ title, entries = [], low, high, scale }, what) {
  const swatch = (colour) => {
    const dot = h("span", { class: "swatch", "aria-hidden": "true" });
    if (colour) dot.style.background = colour;
    return dot;
  };
  const bar = scale ? h("span", { class: "scale", "aria-hidden": "true" }) : null;
  if (bar) bar.style.background = `linear-gradient(to right, ${scale.join(", ")})`;
  return h("p", { class: "legend name" }, h("strong", {}, `${what}: ${visible(title)}`),
    ...(low === undefined ? [] : [h("span", {}, low, bar || " to ", high)]),
    ...entries.map(([name, colour, count]) =>
      h("span", {}, colour ? swatch(colour) : "", `${visible(name)} (${count.toLocaleString()})`)));
}

export default {
  render({ model, el }) {
    let [scatter, plot, end, moving, fingers] = [];
    let labels = []; // [row, text] for what is in view
    let asked = {}; // what was asked last: kind -> token
    let waiting;
    const box = h("div", { class: "scatter", "aria-hidden": "true" });
    const layer = h("canvas", { class: "layer", "aria-hidden": "true" });
    const [across, up] = [h("span", { class: "across name" }), h("span", { class: "up name" })];
    const said = h("p", { class: "said quiet name", role: "status" });
    const legends = h("div", { class: "legends quiet" });
    const notices = h("ul", { class: "notices quiet name" });
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const frame = h("div", { class: "frame", tabindex: 0, role: "application", onkeydown: press }, box, layer, across, up);
    const modes = MODES.map(([name, ...mode]) => h("button", { type: "button", onclick: () => take(mode) }, name));
    const button = (text, name, onclick) => h("button", { type: "button", "aria-label": name, title: name, onclick }, text);
    const bar = h("div", { class: "row bar" },
      h("div", { class: "row", role: "group", "aria-label": "What dragging does" }, ...modes),
      h("div", { class: "row", role: "group", "aria-label": "View" }, button("+", "Zoom in", () => zoom(0.7)),
        button("−", "Zoom out", () => zoom(1 / 0.7)), button("⟲", "Whole view", () => plot?.zoomToOrigin())),
      button("PNG", "Download the plot as PNG", picture));
    el.classList.add("ipyfastai", "ipyfastai-embedding-plot");
    el.append(bar, frame, problem, said, legends, notices);

    const at = (row) => (box.dataset.drawn && plot.get("isPointsDrawn") ? plot.getScreenPosition(row) : undefined);
    const paint = labelLayer(layer, at);
    const room = ({ offsetLeft, offsetTop, offsetWidth }) => [offsetLeft, offsetTop, offsetWidth];
    const draw = () => plot && paint({ labels, marks: model.get("_marks"), all: model.get("labelled"), taken: [across, up].map(room) });
    const ask = (type, rest) => {
      asked[type] = `${Math.random()}`;
      model.send({ type, token: asked[type], ...rest });
    };
    const tip = tooltip(frame, at, (row) => ask("about", { row }));

    // The page's own way of being one of several views of the same selection: see `reselect`.
    drawScatter(model, box).then((made) => {
      [scatter, plot, end] = made;
      if (!plot) return;
      if (!plot.isSupported) problem.textContent = "This browser cannot draw the points: it lacks WebGL extensions.";
      problem.hidden = plot.isSupported;
      moving = thinWhileMoving(plot, box, reselect);
      fingers = followFingers(box, plot);
      plot.subscribe("drawing", draw);
      plot.subscribe("draw", () => {
        draw();
        if (!labels.length) inView();
      });
      plot.subscribe("view", ({ view }) => {
        tip.stand();
        inView();
        camera = [...view];
      });
      plot.subscribe("pointover", tip.enter);
      plot.subscribe("pointout", tip.leave);
      scatter.on("change:selection", reselect);
      scatter.on("change:mouse_mode change:lasso_type", showMode);
      showMode();
      drawPoints();
    }, (error) => {
      problem.hidden = false;
      problem.textContent = "The plot could not be drawn: this browser or notebook has no WebGL for it.";
      console.warn(error);
    });

    let camera = null;
    function inView() {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        if (!plot || !frame.clientWidth) return;
        const size = [frame.clientWidth, frame.clientHeight];
        ask("labels", { x: plot.get("xScale").domain(), y: plot.get("yScale").domain(), size });
        if (camera) model.send({ type: "camera", view: camera });
        camera = null;
      }, 120);
    }
    // One drawing at a time, and of those that wait only the last.
    let [stale, drawing, placed] = [];
    async function drawPoints() {
      stale = true;
      if (drawing || !plot) return;
      drawing = true;
      while (stale && !box.dataset.gone) {
        stale = false;
        const [places, codes, looks] = ["_places", "_codes", "_looks"].map((name) => model.get(name));
        if (!places.byteLength) break;
        if (places !== placed) {
          labels = [];
          tip.leave();
        }
        await drawOnce(pointsOf(places, codes), looks, places === placed);
        moving.drawn(places.byteLength / 8);
        placed = places;
        box.dataset.drawn = places.byteLength / 8;
        reselect();
        inView();
      }
      drawing = false;
    }
    async function drawOnce(points, { colours, sizes }, same) {
      const index = same ? { spatialIndex: plot.get("spatialIndex") } : {};
      if (!same) plot.deselect({ preventEvent: true });
      await plot.set({ pointColor: colours, pointSize: sizes }); // before: else all would be drawn twice
      for (let left = 600; ; left -= 1) {
        try {
          return await plot.draw(points, index);
        } catch (error) { // jupyter-scatter still draws its own two points
          if (!left || box.dataset.gone) throw error;
          await new Promise(requestAnimationFrame);
        }
      }
    }
    // jupyter-scatter takes a selection for its own when a click has selected the same points twice.
    function reselect() {
      const { view, shape } = scatter.get("selection") ?? { shape: [0] };
      const rows = shape[0] ? Array.from(new Uint32Array(view.buffer, view.byteOffset, shape[0])) : [];
      const shown = plot.get("selectedPoints");
      if (rows.length === shown.length && rows.every((row, place) => row === shown[place])) return;
      if (rows.length) plot.select(rows, { preventEvent: true });
      else plot.deselect({ preventEvent: true });
    }
    function take([mode, lasso]) {
      scatter?.set({ mouse_mode: mode, ...(lasso ? { lasso_type: lasso } : {}) });
    }
    function showMode() {
      modes.forEach((one, place) => {
        const [, mode, lasso] = MODES[place];
        const on = scatter.get("mouse_mode") === mode && (!lasso || scatter.get("lasso_type") === lasso);
        one.ariaPressed = String(on);
        one.classList.toggle("chosen", on);
      });
    }
    const zoom = (factor) => plot?.zoomToLocation(plot.get("cameraTarget"), plot.get("cameraDistance") * factor);
    function pan(way) {
      const [distance, target] = [plot.get("cameraDistance"), plot.get("cameraTarget")];
      plot.zoomToLocation(target.map((part, axis) => part + way[axis] * distance * 0.25), distance);
    }
    function press(event) {
      if (event.target !== frame || !plot || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.shiftKey && WAYS[event.key]) pan(WAYS[event.key]);
      else if (event.key === "+" || event.key === "=") zoom(0.7);
      else if (event.key === "-") zoom(1 / 0.7);
      else if (event.key === "0") plot.zoomToOrigin();
      else if (KEYS[event.key]) model.send({ type: "key", name: KEYS[event.key] });
      else return;
      event.preventDefault();
    }

    async function picture() {
      if (!plot) return;
      await moving.rest();
      const points = plot.export();
      const [part, whole] = [0, 1].map(() => h("canvas", { width: points.width, height: points.height }));
      part.getContext("2d").putImageData(points, 0, 0);
      const context = whole.getContext("2d");
      context.fillStyle = getComputedStyle(box).backgroundColor;
      context.fillRect(0, 0, whole.width, whole.height);
      for (const one of [part, layer]) context.drawImage(one, 0, 0, whole.width, whole.height);
      context.fillStyle = getComputedStyle(across).color;
      context.font = `${Math.round(whole.width / 60)}px system-ui, sans-serif`;
      context.textAlign = "right";
      context.fillText(across.textContent, whole.width - 10, whole.height - 10);
      context.textAlign = "left";
      context.fillText(up.textContent, 10, Math.round(whole.width / 50));
      whole.toBlob((blob) => download("embedding.png", blob, "image/png"));
    }

    function receive(content, buffers) {
      const { type, token } = content;
      if (type === "labels" && token === asked.labels) {
        labels = content.rows.map((row, place) => [row, content.texts[place]]);
        draw();
      } else if (type === "about" && token === asked.about) tip.tell(content, buffers);
      else if (!plot) return;
      else if (type === "home") plot.zoomToOrigin();
      else if (type === "look") plot.view(content.view);
      else if (type === "look_at") plot.zoomToPoints(content.rows, { padding: 1 });
    }
    model.on("msg:custom", receive);
    follow(model, ["_places", "_codes", "_looks"], drawPoints);
    follow(model, ["labelled"], draw);
    let stood = null; // the current one before
    follow(model, ["_marks"], () => {
      const { current = null } = model.get("_marks");
      const place = plot && current !== null && current !== stood ? at(current) : undefined;
      stood = current;
      const inside = ([x, y]) => x >= 0 && y >= 0 && x <= frame.clientWidth && y <= frame.clientHeight;
      // Who steps on to a point beyond the edge wants to see it.
      if (place && !inside(place)) plot.zoomToLocation(plot.get("points")[current].slice(0, 2), plot.get("cameraDistance"));
      draw();
    });
    follow(model, ["_words"], () => {
      const words = model.get("_words");
      across.textContent = words.x ? `${visible(words.x)} →` : "";
      up.textContent = words.y ? `↑ ${visible(words.y)}` : "";
      frame.setAttribute("aria-label", `${words.name ?? "Points"}. Arrow keys go through the list, with Shift they move the view; Enter shows neighbours, plus and minus zoom, 0 shows all.`);
      const now = words.said ? visible(words.said) : "";
      if (said.textContent !== now) said.textContent = now; // what did not change is not read out again
      notices.replaceChildren(...(words.notices ?? []).map((notice) => h("li", {}, visible(notice))));
      notices.hidden = !notices.childElementCount;
      legends.replaceChildren(...(words.legends ?? []).map(([what, one]) => legend(one, what)));
    });
    return () => {
      clearTimeout(waiting);
      tip.leave();
      moving?.end();
      fingers?.();
      box.dataset.gone = "yes";
      model.off("msg:custom", receive);
      scatter?.off("change:selection", reselect);
      scatter?.off("change:mouse_mode change:lasso_type", showMode);
      end?.();
    };
  },
};
