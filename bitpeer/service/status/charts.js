// Two plots, drawn as SVG by hand.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 62, RIGHT = 6, TOP = 10, BOTTOM = 22;
const LEAST_SPAN = 120;
const STEPS = [1, 2, 5, 10, 15, 20, 30];

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A round number not below `value`. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.9999) * power;
}

function path(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** Cut where a value is missing. */
function pieces(points) {
  const all = [[]];
  for (const point of points) {
    if (point === null) all.push([]);
    else all[all.length - 1].push(point);
  }
  return all.filter((piece) => piece.length);
}

/**
 * Draws curves and bands over time.
 *
 * `series` is a list of {name, kind, low, high}: functions of a sample, `low` missing for a curve
 * alone. `format` writes a value. `empty` is said as long as there is nothing to draw.
 */
export class Chart {
  constructor(place, { series, format, empty, mirrored = false, least = 1 }) {
    Object.assign(this, { place, series, format, empty, mirrored, least, samples: [] });
    this.pointer = null;
    new ResizeObserver(() => this.draw()).observe(place);
    place.addEventListener("pointermove", (event) => {
      this.pointer = event.clientX - place.getBoundingClientRect().left;
      this.draw();
    });
    place.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.draw();
    });
  }

  show(samples) {
    this.samples = samples;
    this.draw();
  }

  draw() {
    const { place, samples } = this;
    const width = place.clientWidth, height = place.clientHeight;
    if (!width || !height) return;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const values = samples.flatMap((sample) => this.series.map((each) => each.high(sample))).filter((value) => value !== null);
    if (samples.length < 2 || !values.length) {
      svg.append(make("text", { class: "nothing", x: width / 2, y: height / 2, "text-anchor": "middle" }, this.empty));
      place.replaceChildren(svg);
      return;
    }
    const top = round(Math.max(this.least, ...values));
    const lowest = Math.max(...values.map((value) => -value));
    const bottom = this.mirrored ? -Math.max(top / 4, lowest > 0 ? round(lowest) : 0) : 0;
    const last = samples[samples.length - 1].time;
    const span = Math.max(LEAST_SPAN, last - samples[0].time);
    const x = (time) => width - RIGHT - ((last - time) / span) * (width - LEFT - RIGHT);
    const y = (value) => TOP + ((top - value) / (top - bottom)) * (height - TOP - BOTTOM);
    const lines = this.mirrored ? [top, 0, bottom] : [top, top * 0.75, top / 2, top / 4, 0];
    if (this.mirrored) lines.push(top > -bottom ? top / 2 : bottom / 2);
    for (const value of lines) {
      svg.append(make("line", { class: value ? "grid" : "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(make("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, this.format(Math.abs(value))));
    }
    const minutes = Math.round(span / 60), step = STEPS.find((each) => minutes / each <= (width - LEFT) / 92) ?? 60;
    for (let ago = 0; ago <= minutes; ago += step) {
      const at = x(last - ago * 60);
      if (at < LEFT - 1) break;
      const anchor = ago ? "middle" : "end";
      svg.append(make("text", { x: at, y: height - 4, "text-anchor": anchor }, ago ? `${ago} min ago` : "now"));
    }
    for (const { kind, low, high, line = high } of this.series) {
      const placed = (ask) => samples.map((sample) => {
        const value = ask(sample);
        return value === null ? null : [x(sample.time), y(value)];
      });
      const upper = pieces(placed(high)), lower = pieces(placed(low));
      upper.forEach((piece, index) => {
        svg.append(make("path", { class: `area ${kind}`, d: `${path(piece)}L${path([...lower[index]].reverse()).slice(1)}Z` }));
      });
      for (const piece of pieces(placed(line))) svg.append(make("path", { class: `curve ${kind}`, d: path(piece) }));
    }
    this.point(svg, x, width, height);
    place.replaceChildren(svg);
  }

  point(svg, x, width, height) {
    if (this.pointer === null) return;
    const nearest = this.samples.reduce((best, sample) => (Math.abs(x(sample.time) - this.pointer) < Math.abs(x(best.time) - this.pointer) ? sample : best));
    const at = x(nearest.time);
    svg.append(make("line", { class: "cursor", x1: at, x2: at, y1: TOP, y2: height - BOTTOM }));
    const words = this.series.map(({ name, high, line = high }) => {
      const value = line(nearest);
      return value === null ? "" : `${name} ${this.format(Math.abs(value))}`;
    });
    const clock = new Date(nearest.time * 1000).toLocaleTimeString();
    const left = at < width / 2;
    svg.append(make("text", { class: "said", x: at + (left ? 8 : -8), y: TOP + 12, "text-anchor": left ? "start" : "end" }, [clock, ...words.filter(Boolean)].join("  ")));
  }
}
