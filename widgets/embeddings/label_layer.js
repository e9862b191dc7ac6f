// A canvas above the points: lines to neighbours, rings, and labels that do not overlap.
const LABEL_HEIGHT = 17;
const LABEL_FONT = "13px system-ui, sans-serif";

function labelLayer(canvas, at) {
  const context = canvas.getContext("2d");
  const widths = new Map();
  const style = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  // Mixed colours (`color-mix`, `var`) are resolved by an element, not by a canvas.
  const resolved = (name) => {
    canvas.style.color = `var(${name})`;
    return style("color");
  };
  const width = (text) => {
    if (!widths.has(text)) widths.set(text, context.measureText(text).width);
    return widths.get(text);
  };
  const ring = ([x, y], radius, colour, thick) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.stroke();
  };

  // `labels` are [row, text], the most important first; `marks` as the kernel has them; `taken` is the room of what
  // stands there already, [left, top, width].
  return function draw({ labels, marks, all, taken }) {
    const { clientWidth, clientHeight } = canvas;
    const dots = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(clientWidth * dots)) canvas.width = Math.round(clientWidth * dots);
    if (canvas.height !== Math.round(clientHeight * dots)) canvas.height = Math.round(clientHeight * dots);
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    const [ink, paper, accent] = ["--ink", "--paper", "--accent"].map(resolved);
    const { focus = null, current = null, pointed = null, near = [], found = [], texts = [] } = marks;
    const here = focus === null ? undefined : at(focus);
    if (here) {
      context.strokeStyle = ink;
      context.lineWidth = 1;
      context.globalAlpha = near.length > 100 ? 0.15 : 0.4;
      context.beginPath();
      for (const there of near.map(at)) {
        if (!there) continue;
        context.moveTo(...here);
        context.lineTo(...there);
      }
      context.stroke();
      context.globalAlpha = 1;
    }
    for (const row of found) at(row) && ring(at(row), 7, accent, 2);
    if (here) ring(here, 9, ink, 2.5);
    for (const row of [current, pointed]) {
      const there = row === null ? undefined : at(row);
      if (!there) continue;
      ring(there, 11, paper, 6);
      ring(there, 11, accent, 3);
    }

    context.font = LABEL_FONT;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const boxes = [...taken];
    const drawn = [];
    const seen = new Set();
    for (const [row, text] of all ? [...texts, ...labels] : texts) {
      if (seen.has(row)) continue;
      seen.add(row);
      const point = at(row);
      if (!point || point[0] < 0 || point[1] < 0 || point[0] > clientWidth || point[1] > clientHeight) continue;
      const shown = visible(text);
      const wide = width(shown);
      // Right of its point, else left of it, else above.
      const sides = [point[0] + 10, point[0] - 10 - wide].filter((side) => side >= 0 && side + wide <= clientWidth);
      const left = sides[0] ?? Math.max(0, Math.min(point[0] - wide / 2, clientWidth - wide));
      const top = Math.max(0, point[1] - LABEL_HEIGHT * (sides.length ? 0.5 : 1.5));
      const overlaps = boxes.some((box) =>
        left < box[0] + box[2] + 6 && box[0] < left + wide + 6 && top < box[1] + LABEL_HEIGHT && box[1] < top + LABEL_HEIGHT);
      if (overlaps) continue;
      boxes.push([left, top, wide]);
      drawn.push(shown);
      context.strokeStyle = paper;
      context.lineWidth = 4;
      context.strokeText(shown, left, top + LABEL_HEIGHT / 2);
      context.fillStyle = ink;
      context.fillText(shown, left, top + LABEL_HEIGHT / 2);
    }
    canvas.dataset.labels = drawn.length;
    return boxes;
  };
}
