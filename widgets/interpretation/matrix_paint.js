// What stands on the canvas of a matrix: cells, numbers and names, as far as they are on the screen.
//
//   const painter = matrixPainter(canvas);
//   painter.paint({ data, place, left, top, cell, level, hovered, here }, [scrollLeft, scrollTop]);
//
// `place` maps labels to where they are shown; cells are `cell` px wide and begin `left` px from the left and `top` px
// from the top, where the names stand, `level` or upright. `hovered` and `here` are cells by their labels, or null.

const FONT = 13; // px

function matrixPainter(canvas) {
  let view;
  const widths = new Map();
  const probes = Object.fromEntries(["ink", "quiet", "paper", "line", "accent", "mistake"]
    .map((colour) => [colour, h("i", { style: `color: var(--${colour})` })]));
  const palette = h("span", { class: "palette", "aria-hidden": "true" }, ...Object.values(probes));
  const pen = canvas.getContext("2d");
  const count = () => view.data.shown.length;

  function ellipsis(text, room) {
    const key = `${room} ${text}`;
    if (!widths.has(key)) {
      let [low, high] = [0, text.length];
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (pen.measureText(text.slice(0, middle) + (middle < text.length ? "…" : "")).width <= room) low = middle;
        else high = middle - 1;
      }
      widths.set(key, low < text.length ? `${text.slice(0, low)}…` : text);
    }
    return widths.get(key);
  }

  function setFont(px, weight = "") {
    pen.font = `${weight} ${px}px ${getComputedStyle(canvas).fontFamily}`;
  }

  function paint(shown, offset) {
    view = shown;
    const { left, top, cell, level } = view;
    const colours = Object.fromEntries(Object.entries(probes).map(([key, probe]) => [key, getComputedStyle(probe).color]));
    const [width, height] = [canvas.width / devicePixelRatio, canvas.height / devicePixelRatio];
    const [x0, y0] = [left - offset[0], top - offset[1]];
    const seen = (start, end) => [Math.max(0, Math.floor(-start / cell)), Math.min(count(), Math.ceil((end - start) / cell))];
    const [firstRow, lastRow] = seen(y0 - top, height - top);
    const [firstColumn, lastColumn] = seen(x0 - left, width - left);
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, width, height);
    if (!count()) return;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, width - left, height - top);
    pen.clip();
    paintCells(colours, x0, y0, firstRow, lastRow, firstColumn, lastColumn);
    pen.restore();
    paintNames(colours, x0, y0, [firstRow, lastRow], [firstColumn, lastColumn]);
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, left, top);
    setFont(12);
    pen.fillStyle = colours.quiet;
    [pen.textAlign, pen.textBaseline] = ["right", "middle"];
    pen.fillText("Predicted →", left - 6, top - (level ? 14 : 28));
    pen.fillText("Label ↓", left - 6, top - (level ? 30 : 10));
  }

  function paintCells(colours, x0, y0, firstRow, lastRow, firstColumn, lastColumn) {
    const { data, place, cell, hovered, here } = view;
    const [right, bottom] = [x0 + cell * count(), y0 + cell * count()];
    const gap = cell >= 8 ? 1 : 0;
    const words = [];
    if (!gap) {
      pen.strokeStyle = colours.line;
      pen.lineWidth = 1;
      pen.strokeRect(x0 + 0.5, y0 + 0.5, right - x0, bottom - y0);
    }
    for (let i = firstRow; i < lastRow; i++) {
      const label = data.shown[i];
      for (const [column, value] of data.rows[label]) {
        const j = place.get(column);
        if (j === undefined || j < firstColumn || j >= lastColumn) continue;
        pen.globalAlpha = (gap ? 0.1 : 0.3) + 0.5 * data.weight(label, column, value);
        pen.fillStyle = label === column ? colours.accent : colours.mistake;
        pen.fillRect(x0 + j * cell, y0 + i * cell, cell - gap, cell - gap);
        if (cell >= 18) words.push([data.text(label, column, value), x0 + (j + 0.5) * cell, y0 + (i + 0.5) * cell]);
      }
    }
    pen.globalAlpha = 1;
    if (gap) {
      pen.fillStyle = colours.line;
      pen.globalAlpha = cell >= 16 ? 0.5 : 0.25;
      for (let i = firstRow; i <= lastRow; i++) pen.fillRect(x0, y0 + i * cell - 1, right - x0, 1);
      for (let j = firstColumn; j <= lastColumn; j++) pen.fillRect(x0 + j * cell - 1, y0, 1, bottom - y0);
      pen.globalAlpha = 1;
    }
    setFont(Math.min(15, Math.max(10, cell * 0.42)));
    pen.fillStyle = colours.ink;
    [pen.textAlign, pen.textBaseline] = ["center", "middle"];
    for (const [text, x, y] of words) if (pen.measureText(text).width <= cell - 3) pen.fillText(text, x, y);
    const outline = (at, colour, thick) => {
      const [i, j] = [place.get(at[0]), place.get(at[1])];
      if (i === undefined || j === undefined) return;
      pen.strokeStyle = colour;
      pen.lineWidth = thick;
      pen.strokeRect(x0 + j * cell - 0.5, y0 + i * cell - 0.5, cell, cell);
    };
    if (hovered) {
      pen.fillStyle = colours.ink;
      pen.globalAlpha = 0.06;
      const [i, j] = [place.get(hovered[0]), place.get(hovered[1])];
      pen.fillRect(x0, y0 + i * cell, right - x0, cell);
      pen.fillRect(x0 + j * cell, y0, cell, bottom - y0);
      pen.globalAlpha = 1;
      outline(hovered, colours.quiet, 1);
    }
    if (data.chosen) outline(data.chosen, colours.accent, 3);
    if (here) outline(here, colours.ink, 2);
  }

  // Every name where there is room, else every so many; that of the cell one looks at always.
  function paintNames(colours, x0, y0, rows, columns) {
    const { data, place, left, top, cell, level, hovered, here } = view;
    const step = Math.max(1, Math.ceil(11 / cell));
    const px = Math.min(FONT, Math.max(10, cell - 1));
    const at = hovered ?? here;
    const names = (begin, end, mine, write) => {
      for (let i = begin; i < end; i++) {
        const free = step === 1 || !(Math.abs(i - mine) < step);
        if (i % step === step >> 1 && free) write(i, i === mine);
      }
      if (mine !== undefined && step > 1) write(mine, true);
    };
    const write = (text, room, bold) => {
      setFont(px, bold ? "bold" : "");
      pen.fillStyle = colours.ink;
      pen.fillText(ellipsis(text, room), 0, 0);
    };
    pen.textBaseline = "middle";
    pen.save();
    pen.beginPath();
    pen.rect(0, top, left, canvas.height);
    pen.clip();
    pen.textAlign = "right";
    names(...rows, at ? place.get(at[0]) : undefined, (i, bold) => {
      pen.save();
      pen.translate(left - 6, y0 + (i + 0.5) * cell);
      write(data.names[data.shown[i]], left - 10, bold);
      pen.restore();
    });
    pen.restore();
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, canvas.width, top);
    pen.clip();
    pen.textAlign = level ? "center" : "left";
    names(...columns, at ? place.get(at[1]) : undefined, (j, bold) => {
      pen.save();
      pen.translate(x0 + (j + 0.5) * cell, level ? top - 12 : top - 6);
      if (!level) pen.rotate(-Math.PI / 2);
      write(data.names[data.shown[j]], level ? cell : top - 10, bold);
      pen.restore();
    });
    pen.restore();
  }

  return {
    palette,
    paint,
    forget: () => widths.clear(),
    measure(text) {
      setFont(FONT);
      return pen.measureText(text).width;
    },
    resize(width, height) {
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
      pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    },
  };
}
