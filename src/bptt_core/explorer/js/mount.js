// A figure: its parts, and the one way in which a setting changes, whoever changes it.

import { Controls } from "./controls.js";
import { Artist, joinAxes, say } from "./drawing.js";
import { NumberTable } from "./numbers.js";
import { drawGrown, Player } from "./play.js";
import { addGrips, listen } from "./pointer.js";
import { Table } from "./table.js";

const QUIET = 250; // milliseconds until a setting is spoken and listed
const GROWS = 3500; // milliseconds in which Play shows all
const STEP = 80; // or, of a slider with many values, how long it stays at each

let mounts = 0;

class Figure {
  /** @param {HTMLElement} root  @param {Spec} spec  @param {Table} table
   *  @param {function(Figure): (Address|Kernel)} connect - to what is told of a setting */
  constructor(root, spec, table, connect) {
    const $ = (selector) => root.querySelector(selector);
    this.name = spec.name;
    this.title = spec.title;
    this.root = root;
    this.table = table;
    this.readout = $(".gtt-readout");
    this.status = $(".gtt-status");
    this.frame = null; // what is shown: a Reply
    this.said = ""; // its sentence
    this.touched = false; // nothing is spoken before the reader moves something
    this.timer = 0;
    this.controls = new Controls(spec.controls, root, root.dataset.mounted, (changes) =>
      this.set(changes),
    );
    const svgs = [...root.querySelectorAll(".gtt-svg")];
    this.artists = spec.items.map((item) => new Artist(item, svgs[item.panel], spec.uid));
    this.groups = joinAxes(this.artists);
    const set = (changes) => this.set(changes);
    this.artists.forEach((artist, j) => {
      if (artist.item.drag) addGrips(artist, table.items[j], this.controls, set);
      if (artist.item.click) listen(artist, table.items[j], this.controls, set);
    });
    this.numbers = new NumberTable($(".gtt-numbers"), spec.columns);
    this.numbers.details.addEventListener("toggle", () => this.numbers.fill(this.frame.cells));
    this.player = this.playerOf($(".gtt-play"), spec);
    $(".gtt-reset").addEventListener("click", () => {
      this.set({ ...this.controls.start });
      this.player.paused = false;
    });
    this.show();
    for (const field of root.querySelectorAll(".gtt-controls :is(input, button)"))
      field.disabled = false;
    root.dataset.ready = "";
    this.home = connect(this);
  }

  /** Change some settings, {number of the control: value}, and tell the kernel or the address. */
  set(changes, tell = true) {
    this.player.stop();
    if (!this.controls.set(changes)) return;
    this.touched = true;
    this.show();
    if (tell) this.home.tell();
  }

  /** Do what a link asks for, and say what is seen, changed or not. */
  follow(changes) {
    this.set(changes);
    this.touched = true;
    this.status.textContent = "";
    this.show();
  }

  /** Play lets curves grow, or moves one slider through its grid. */
  playerOf(button, { play, controls }) {
    const values = controls[play]?.values;
    if (!values) return new Player(button, () => this.draw(), GROWS);
    const last = values.length - 1;
    const move = () => {
      const { share, request } = this.player;
      if (this.controls.set({ [play]: values[Math.round(share * last)] })) this.show();
      this.touched = true;
      if (!request) this.home.tell(); // it came to rest
    };
    const length = Math.max(GROWS, values.length * STEP);
    return new Player(button, move, length, () => this.controls.at()[play] / last);
  }

  /** Show what the kernel replied, or what the table holds. */
  show(reply = this.table.lookUp(this.controls.at())) {
    this.frame = reply;
    this.draw();
    this.controls.draw(reply.texts);
    if (this.said !== reply.words) say(this.readout, reply.words);
    this.said = reply.words;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.touched) this.status.textContent = this.readout.textContent;
      this.numbers.fill(reply.cells);
      this.announce();
    }, QUIET);
  }

  /** Tell the page where the figure stands: a question may ask for it (bptt_core.ask.states). */
  announce() {
    const { list, now } = this.controls;
    const settings = Object.fromEntries(list.map(({ name }, k) => [name, now[k]]));
    const { name, said: sentence, touched } = this;
    const detail = { name, settings, at: this.controls.at(), sentence, touched };
    this.root.dispatchEvent(new CustomEvent("gtt:setting", { bubbles: true, detail }));
  }

  /** Draw the frame, or so much of it as has been played. */
  draw() {
    drawGrown(this.artists, this.frame.items, this.player.share);
    for (const group of this.groups) group.write();
  }
}

/** Bring a figure to life: its Figure, or undefined where it stays a picture. */
export async function mount(root, connect) {
  const text = root.querySelector("script").textContent;
  if (root.dataset.mounted || !text) return; // in a page of the book its table may come later
  root.dataset.mounted = ++mounts;
  const spec = JSON.parse(text);
  let table;
  try {
    table = await Table.of(spec);
  } catch {
    root.classList.add("gtt-still"); // a browser without DecompressionStream keeps the picture
    return;
  }
  return new Figure(root, spec, table, connect);
}
