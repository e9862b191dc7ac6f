// What a page holds of a PictureGrid, for all its views: captions and pictures near what is on the
// screen, and which rows are selected. Everything else is let go of.

const ASK_SOON = 30; // ms: a wheel turns faster than anybody looks
const ASK_AGAIN = 5000; // ms: an answer may be lost with the connection

// A picture as pixels, to be painted on a canvas: of each address that an <img> has ever shown, a browser keeps
// some kilobytes for as long as the page lives. An ImageDecoder takes the bytes as they lie here; a Blob goes
// through the browser's own process first. Where there is none (before Firefox 133 and Safari 26, or without
// https on another machine) a Blob must do.
async function decoded(jpeg) {
  const type = "image/jpeg";
  if (!window.ImageDecoder) return createImageBitmap(new Blob([jpeg], { type }));
  const decoder = new ImageDecoder({ data: jpeg, type });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}
const UNDECODED = "The browser cannot show this picture.";

function paint(canvas, bitmap) { // an ImageBitmap, or a VideoFrame as a decoder gives it
  const [width, height] = bitmap ? [bitmap.displayWidth ?? bitmap.width, bitmap.displayHeight ?? bitmap.height] : [0, 0];
  canvas.hidden = !bitmap;
  Object.assign(canvas, { width, height }); // which empties it, too
  if (bitmap) canvas.getContext("2d").drawImage(bitmap, 0, 0);
}

// Ranges [begin, end), ascending and apart: a hundred thousand selected rows are one pair.
const without = (ranges, begin, end) => ranges
  .flatMap(([from, to]) => [[from, Math.min(to, begin)], [Math.max(from, end), to]])
  .filter(([from, to]) => from < to);
function including(ranges, begin, end) {
  const merged = [];
  for (const range of [...without(ranges, begin, end), [begin, end]].sort((a, b) => a[0] - b[0])) {
    if (merged.length && merged.at(-1)[1] === range[0]) merged.at(-1)[1] = range[1];
    else merged.push([...range]);
  }
  return merged;
}
const sizeOf = (ranges) => ranges.reduce((sum, [begin, end]) => sum + end - begin, 0);
function rangesOf(positions) {
  const ranges = [];
  for (const position of positions) {
    if (ranges.length && ranges.at(-1)[1] === position) ranges.at(-1)[1] += 1;
    else ranges.push([position, position + 1]);
  }
  return ranges;
}

function pictureStore(model) {
  const page = `${Math.random()}`;
  const rows = new Map(); // position -> {row, drawing}
  const pictures = new Map(); // position -> {bitmap}, without one until it is decoded
  const problems = new Map(); // position -> why there is no picture
  const coming = new Set(); // positions of those that the kernel sends by itself
  const views = new Set(); // {draw(position), select(), near: [begin, end), seen: [begin, end)}
  const enlarging = new Map(); // position -> those who wait for it
  let shown = model.get("_shown");
  let selected = model.get("_selected").ranges ?? [];
  let step = 0;
  let asking, again;
  let began = false; // whether the kernel knows how much this page shows: then it sends that by itself

  const send = (type, content = {}) => model.send({ type, page, version: shown.version, ...content });
  const tell = (positions) => views.forEach((view) => positions.forEach((position) => view.draw(position)));

  function forget(position) {
    pictures.get(position).bitmap?.close();
    pictures.delete(position);
  }

  async function decode(position, jpeg) {
    const picture = {};
    pictures.set(position, picture);
    const bitmap = await decoded(jpeg).catch(() => null);
    if (pictures.get(position) !== picture) return bitmap?.close(); // out of sight meanwhile
    if (bitmap) picture.bitmap = bitmap;
    else problems.set(position, UNDECODED);
    tell([position]);
  }

  // What is on a screen first, then what is near; what is near nobody's screen any more goes.
  function ask() {
    asking = undefined;
    clearTimeout(again);
    const near = new Set();
    for (const part of ["seen", "near"])
      for (const view of views) for (let at = view[part][0]; at < Math.min(view[part][1], shown.count); at++) near.add(at);
    for (const position of pictures.keys()) if (!near.has(position)) forget(position);
    for (const known of [rows, problems, coming])
      for (const position of known.keys()) if (!near.has(position)) known.delete(position);
    const wanted = [...near];
    const captions = wanted.filter((at) => rows.get(at)?.drawing !== shown.drawing);
    const missing = wanted.filter((at) => !pictures.has(at) && !problems.has(at) && !coming.has(at));
    if (captions.length || missing.length) {
      began = true;
      send("want", { rows: rangesOf(captions), pictures: rangesOf(missing) });
    } else if (!coming.size) return;
    again = setTimeout(() => {
      coming.clear();
      ask();
    }, ASK_AGAIN);
  }

  function wants(view, seen, near) {
    Object.assign(view, { seen, near });
    asking ??= setTimeout(ask, began ? ASK_SOON : 0);
  }

  const heard = {
    rows({ start, rows: come, drawing, pictures_follow: follow }) {
      if (follow) come.forEach((_, index) => coming.add(start + index));
      come.forEach((row, index) => rows.set(start + index, { row, drawing }));
      tell(come.map((_, index) => start + index));
    },
    pictures({ positions, problems: failed }, buffers) {
      const isNear = (at) => [...views].some(({ near }) => near[0] <= at && at < near[1]);
      positions.forEach((position, index) => {
        if (!pictures.has(position) && isNear(position)) decode(position, buffers[index]);
      });
      for (const [position, why] of failed) problems.set(position, why);
      for (const position of [...positions, ...failed.map(([at]) => at)]) coming.delete(position);
      tell(failed.map(([position]) => position));
    },
    async large({ position, page: asked, version, problem }, [jpeg] = []) {
      if (asked !== page) return;
      const bitmap = problem ? null : await decoded(jpeg).catch(() => null);
      if (version === shown.version) {
        enlarging.get(position)?.forEach((show) => show(bitmap, bitmap ? "" : problem ?? UNDECODED));
        enlarging.delete(position);
      }
      bitmap?.close();
    },
  };
  model.on("msg:custom", (content, buffers) => {
    if (content.version === shown.version) heard[content.type]?.(content, buffers);
  });
  model.on("change:_shown", () => {
    const before = shown;
    shown = model.get("_shown");
    if (shown.version !== before.version) {
      [...pictures.keys()].forEach(forget);
      rows.clear();
      problems.clear();
      coming.clear();
      enlarging.clear();
    }
    views.forEach((view) => view.show(shown.version !== before.version));
  });
  model.on("change:_selected", () => {
    const { ranges = [], page: by, step: at, reveal } = model.get("_selected");
    if (by === page && at < step) return; // this page has chosen anew meanwhile
    selected = ranges;
    views.forEach((view) => view.select());
    if (reveal) views.forEach((view) => view.reveal(ranges[0][0]));
  });

  return {
    views, wants, send,
    row: (position) => rows.get(position)?.row,
    picture: (position) => pictures.get(position)?.bitmap,
    problem: (position) => problems.get(position),
    get count() { return shown.count ?? 0; },
    get lines() { return shown.lines ?? 0; },
    get empty() { return shown.empty ?? ""; },
    get ranges() { return selected; },
    isSelected: (position) => selected.some(([begin, end]) => begin <= position && position < end),
    select(ranges) {
      selected = ranges;
      views.forEach((view) => view.select());
      send("select", { ranges, step: ++step });
    },
    enlarge(position, show) {
      enlarging.set(position, [...(enlarging.get(position) ?? []), show]);
      send("large", { position });
    },
    close() {
      clearTimeout(asking);
      clearTimeout(again);
      [...pictures.keys()].forEach(forget);
    },
  };
}
