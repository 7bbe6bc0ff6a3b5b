// What a reader takes along: a link, the picture, the numbers, each with the setting that it shows.

import { put } from "./controls.js";
import { svgElement } from "./drawing.js";

const LINE = 13; // points from one line of a caption to the next
const SHARP = 4; // pixels of a saved picture per point

/** Copy a text; what became of it, in a word or two. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    if (!copied) return "Not allowed.";
  }
  return "Copied.";
}

/** Show on a button, and tell, what came of it. */
export async function report(button, status, done) {
  const { textContent } = button;
  button.textContent = status.textContent = await done;
  button.focus();
  setTimeout(() => {
    button.textContent = textContent;
  }, 1500);
}

function save(name, type, content) {
  const href = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 9999);
  return "Saved.";
}

/** Pictures side by side on white paper, in its colours, with lines of text below: (SVG, width, height). */
function onPaper(svgs, lines) {
  let width = 10;
  let height = 0;
  const sheet = svgElement("svg", { "font-family": "Source Sans 3, sans-serif", "font-size": 10 });
  const paper = sheet.appendChild(svgElement("rect", { fill: "#fff" }));
  for (const svg of svgs) {
    const size = svg.viewBox.baseVal;
    const copied = sheet.appendChild(svg.cloneNode(true));
    for (const grip of copied.querySelectorAll(".gtt-grip")) grip.remove();
    put(copied, "x", width);
    put(copied, "width", size.width);
    put(copied, "height", size.height);
    width += size.width;
    height = Math.max(height, size.height);
  }
  width += 10;
  for (const line of lines) {
    for (const part of line.match(new RegExp(`.{1,${Math.floor(width / 5)}}(\\s|$)`, "g"))) {
      height += LINE;
      const text = svgElement("text", { x: 10, y: height, fill: "#1f2733" });
      text.textContent = part;
      sheet.append(text);
    }
  }
  height = Math.ceil(height + LINE);
  for (const node of [sheet, paper]) {
    put(node, "width", width);
    put(node, "height", height);
  }
  put(sheet, "viewBox", `0 0 ${width} ${height}`);
  const written = new XMLSerializer().serializeToString(sheet);
  return [written.replace(/var\([^,]*, (#\w+)\)/g, "$1"), width, height];
}

async function asPng([written, width, height]) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(written)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SHARP * width;
  canvas.height = SHARP * height;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done));
}

/**
 * What the buttons under "Share" do.
 * @param {Figure} figure
 * @param {Spec} spec
 */
export function addShare(figure, spec) {
  const { root, controls, numbers, status, home } = figure;
  const page = location.href.split(/[?#]/)[0];
  const plain = (text) => text.replace(/[*_]/g, "");
  const link = (query) => page + query + home.fragment();
  const lines = () => {
    const { texts, words } = figure.frame;
    const settings = spec.controls.map(({ label }, k) => `${plain(label)}: ${texts[k]}`).join(", ");
    return [`${plain(spec.title)}. ${settings}.`, plain(words)];
  };
  const named = (kind) => [spec.name, ...controls.pairs()].join("_") + kind;
  const picture = () => onPaper([...root.querySelectorAll(".gtt-svg")], lines());
  const acts = {
    link: () => copy(link("")),
    embed: () => {
      const frame = document.createElement("iframe");
      const known = { src: link("?embed"), title: plain(spec.title), width: "100%", height: 720 };
      return copy(Object.assign(frame, known).outerHTML);
    },
    present: () => location.assign(link("?present")),
    svg: () => save(named(".svg"), "image/svg+xml", picture()[0]),
    png: async () => save(named(".png"), "image/png", await asPng(picture())),
    csv: () => {
      numbers.fill(figure.frame.cells);
      const [names, ...rows] = numbers.lines();
      const head = [`# ${lines()[0]}`, names.map((text) => `"${text}"`)];
      return save(named(".csv"), "text/csv", `\ufeff${[...head, ...rows].join("\n")}\n`);
    },
  };
  for (const button of root.querySelectorAll(".gtt-share button")) {
    if (!home.fragment && ["link", "embed", "present"].includes(button.value)) button.remove();
    button.addEventListener("click", () => report(button, status, acts[button.value]()));
  }
}
