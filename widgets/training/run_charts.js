// The batches and epochs of the run that a model shows: held once for all of its views.
function record(model) {
  const views = new Set(); // called when there is something new
  let run = null;
  let raw, smoothed, rates, epochs;
  const forget = (number) => {
    run = number;
    [raw, smoothed, rates, epochs] = [[], [], [], []];
  };
  forget(null);
  const ask = () => model.send({ type: "all" });

  const receive = (message, buffers) => {
    if (message.type !== "points") return;
    if (message.run !== run) forget(message.run);
    // A page that came late, or missed something: it asks for all once.
    if (message.batches > raw.length || message.epochs > epochs.length) return ask();
    for (const list of [raw, smoothed, rates]) list.length = message.batches;
    epochs.length = message.epochs;
    const { buffer, byteOffset, byteLength } = buffers[0];
    const points = new DataView(buffer, byteOffset, byteLength);
    for (let place = 0; place < byteLength; place += 12) {
      raw.push(points.getFloat32(place, true));
      smoothed.push(points.getFloat32(place + 4, true));
      rates.push(points.getFloat32(place + 8, true));
    }
    epochs.push(...message.rows);
    views.forEach((draw) => draw());
  };
  model.on("msg:custom", receive);
  ask();
  return {
    views,
    data: () => ({ run, raw, smoothed, rates, epochs }),
    close: () => model.off("msg:custom", receive),
  };
}

const plainName = (name) => name.replaceAll("_", " "); // error_rate, to a person
const METRICS = 3; // charts of metrics at most; the table has all

// Loss, metrics beside what always the same answer gives, and learning rate, all over the epochs.
function runCharts() {
  const epoch = { label: "epoch", whole: true };
  const loss = chart({ name: "Loss", x: epoch, y: { label: "loss" } });
  const schedule = chart({ name: "Learning rate", x: epoch,
    y: { label: "learning rate", format: (value) => (value ? rate(value) : "0") } });
  const metrics = h("div", { class: "charts" });
  const element = h("div", { class: "charts" }, loss.element, metrics, schedule.element);
  let plots = new Map(); // metric -> chart

  function draw({ raw, smoothed, rates, epochs }, { metrics: names = [], baseline = {}, trivial: trivialName, progress = {} }) {
    const batches = progress.iterations / progress.epochs || 1; // of the training in an epoch
    const xs = raw.map((_, index) => (index + 1) / batches);
    const ends = epochs.map((row) => row.epoch);
    loss.draw({ lines: [
      { name: "training, smoothed", xs, ys: smoothed, style: 0 },
      { name: "validation", xs: ends, ys: epochs.map((row) => row.valid_loss ?? NaN), style: 1, dots: true },
      { name: "training, each batch", xs, ys: raw, style: 0, faint: true },
    ].filter((line) => line.xs.length) });
    schedule.draw({ lines: [{ name: "learning rate", xs, ys: rates }] });

    const shown = names.slice(0, METRICS);
    if (shown.join("\n") !== [...plots.keys()].join("\n")) {
      plots.forEach((plot) => plot.close());
      plots = new Map(shown.map((name) =>
        [name, chart({ name: plainName(name), x: epoch, y: { label: plainName(name) } })]));
      metrics.replaceChildren(...[...plots.values()].map((plot) => plot.element));
    }
    for (const [name, plot] of plots) {
      const trivial = baseline[name] ?? null;
      plot.draw({ lines: ends.length ? [
        { name: plainName(name), xs: ends, ys: epochs.map((row) => row[name] ?? NaN), dots: true },
        ...(trivial === null ? [] : [{ name: trivialName, xs: [0, progress.epochs || 1],
          ys: [trivial, trivial] }]),
      ] : [] });
    }
  }
  const close = () => [loss, schedule, ...plots.values()].forEach((plot) => plot.close());
  return { element, draw, close };
}
