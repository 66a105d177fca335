const NODE_FREE = -1;
const NO_VALUE = -1;
const START_SLOTS = 1 << 12;
/** Odd and far from regular: spread nodes and units over the slots. */
const NODE_FACTOR = 0x9e3779b1;
const UNIT_FACTOR = 0x85ebca6b;

/**
 * Words with a number each, arranged by their beginnings, for asking which words begin at a place of a text. One open
 * hash table over flat arrays, keyed by a node and the UTF-16 unit that leads on from it: a vocabulary of 250,000
 * tokens takes some 20 MB, a tenth of what objects would.
 */
export class PrefixTree {
  /** The node where every word begins. */
  static readonly ROOT = 0;
  #nodes = new Int32Array(START_SLOTS).fill(NODE_FREE);
  #units = new Uint16Array(START_SLOTS);
  #children = new Int32Array(START_SLOTS);
  #values = new Int32Array(START_SLOTS).fill(NO_VALUE);
  #mask = START_SLOTS - 1;
  #nodeCount = 1;

  /** @param value 0 or more */
  add(word: string, value: number): void {
    let node = PrefixTree.ROOT;
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i);
      const child = this.step(node, unit);
      node = child >= 0 ? child : this.#grow(node, unit);
    }
    this.#values[node] = value;
  }

  /** @returns the node that `unit` leads to, or -1 */
  step(node: number, unit: number): number {
    const slot = this.#slotOf(node, unit);
    return this.#nodes[slot] === NODE_FREE ? -1 : (this.#children[slot] as number);
  }

  /** The number of the word that ends at a node, or -1. */
  valueOf(node: number): number {
    return this.#values[node] as number;
  }

  /** Where the edge is, or the free slot where it belongs. */
  #slotOf(node: number, unit: number): number {
    const mixed = Math.imul(node, NODE_FACTOR) ^ Math.imul(unit, UNIT_FACTOR);
    let slot = (mixed ^ (mixed >>> 15)) & this.#mask;
    for (;;) {
      const found = this.#nodes[slot] as number;
      if (found === NODE_FREE || (found === node && this.#units[slot] === unit)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #grow(node: number, unit: number): number {
    if (2 * this.#nodeCount > this.#mask) this.#double();
    const child = this.#nodeCount++;
    this.#set(node, unit, child);
    return child;
  }

  #set(node: number, unit: number, child: number): void {
    const slot = this.#slotOf(node, unit);
    this.#nodes[slot] = node;
    this.#units[slot] = unit;
    this.#children[slot] = child;
  }

  #double(): void {
    const [nodes, units, children, values] = [
      this.#nodes,
      this.#units,
      this.#children,
      this.#values,
    ];
    const slots = 2 * nodes.length;
    this.#mask = slots - 1;
    this.#nodes = new Int32Array(slots).fill(NODE_FREE);
    this.#units = new Uint16Array(slots);
    this.#children = new Int32Array(slots);
    this.#values = new Int32Array(slots).fill(NO_VALUE);
    this.#values.set(values);
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as number;
      if (node !== NODE_FREE) this.#set(node, units[i] as number, children[i] as number);
    }
  }
}
