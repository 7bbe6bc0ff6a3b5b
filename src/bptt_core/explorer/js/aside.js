// What only some readers of a page need: page.js loads it when one asks.

import { standAlone } from "./alone.js";
import { addShare } from "./share.js";

globalThis.bpttShare = { standAlone, addShare };
