const two = (number) => number.toFixed(2).replace("-", "−");

export default {
  render({ model, el }) {
    const { factors, films } = model.get("_shown");
    const sliders = []; // by row (the user, then the films) and factor
    const numberLine = (who, row) => h("tr", {}, h("th", { scope: "row" }, who), ...factors.map((factor, place) => {
      const shown = h("span", { class: "shown" });
      const input = h("input", { type: "range", min: -1, max: 1, step: 0.01, "aria-label": `${who}: ${factor}`, oninput: () => {
        shown.textContent = two(input.valueAsNumber);
        model.send({ type: "set", row, factor: place, number: input.valueAsNumber });
      } });
      (sliders[row] ??= []).push({ input, shown });
      return h("td", {}, h("div", { class: "number" }, shown, input));
    }));
    const sums = films.map((film) => {
      const cells = factors.map(() => h("td", {}));
      const match = h("strong", {});
      const line = h("tr", { class: "sum" }, h("th", { scope: "row" }, "taste × film"), ...cells, h("td", { class: "match" }, "= ", match));
      return { film, cells, match, line };
    });
    const said = h("p", { role: "status" });
    const begin = h("button", { type: "button", onclick: () => model.send({ type: "begin" }) }, "The lesson's numbers");
    el.classList.add("ipyfastai", "ipyfastai-dot-product-toy");
    el.append(
      h("h3", {}, "By hand: three factors"),
      h("p", { class: "quiet" }, "How much somebody likes each, and how much of it a film has, from −1 to 1. Multiplied in pairs and added up, that is how well the film fits."),
      h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "The dot product by hand" }, h("table", {},
        h("thead", {}, h("tr", {}, h("td", {}), ...factors.map((factor) => h("th", { scope: "col" }, factor)), h("th", { scope: "col" }, "match"))),
        h("tbody", {}, numberLine("Somebody's taste", 0), ...films.flatMap((film, place) => [numberLine(film, place + 1), sums[place].line])))),
      said, h("div", { class: "row" }, begin));

    follow(model, ["_shown"], () => {
      const { numbers, products, matches } = model.get("_shown");
      sliders.forEach((line, row) => line.forEach(({ input, shown }, place) => {
        if (document.activeElement !== input) input.value = numbers[row][place];
        shown.textContent = two(input.valueAsNumber);
      }));
      sums.forEach(({ cells, match }, film) => {
        cells.forEach((cell, place) => {
          const sign = place ? "+ " : "";
          cell.textContent = `${sign}${two(numbers[0][place])} × ${two(numbers[film + 1][place])} = ${two(products[film][place])}`;
        });
        match.textContent = two(matches[film]);
      });
      const best = matches[0] === matches[1] ? null : films[matches[0] > matches[1] ? 0 : 1];
      const text = best ? `${best} fits better.` : "Both fit equally.";
      if (said.textContent !== text) said.textContent = text;
    });
  },
};
