/**
 * The graph in a folder that holds nothing else: one `.onnx` file, and weights beside it whose names begin with its
 * name. Pure.
 *
 * A folder with anything more is not taken for one. What it lacks is probably on its way: a package that is being
 * copied, or written by training, must not be served as something that it is not.
 *
 * @param names files and folders in it; hidden ones do not count
 * @returns the file's name; undefined when there is more, or no graph
 */
export function findBareModel(names: readonly string[]): string | undefined {
  const visible = names.filter((name) => !name.startsWith("."));
  const [graph] = visible.filter((name) => name.endsWith(".onnx"));
  if (graph === undefined) return undefined;
  const isPart = (name: string) =>
    name === graph || name.startsWith(`${graph}_`) || name.startsWith(`${graph}.`);
  return visible.every(isPart) ? graph : undefined;
}
