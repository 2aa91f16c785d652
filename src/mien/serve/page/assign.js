/**
 * Which face is which: the cheapest assignment of faces to tracks, all at once.
 */

/**
 * Assign rows to columns; a pair dearer than the limit is no pair.
 *
 * The matrix is extended so that every row and every column may stay alone for half the limit, as
 * lap.lapjv does with extend_cost and cost_limit, and is solved by the Hungarian method (Kuhn 1955)
 * with potentials.
 *
 * @param {number[][]} cost rows of equal length.
 * @returns {number[]} for each row its column, or -1.
 */
export function assign(cost, limit) {
  const rows = cost.length, columns = rows ? cost[0].length : 0, size = rows + columns;
  const at = (i, j) => {
    if (i < rows && j < columns) return cost[i][j];
    return i >= rows && j >= columns ? 0 : limit / 2;
  };
  const u = new Float64Array(size + 1), v = new Float64Array(size + 1);
  const rowOf = new Int32Array(size + 1), way = new Int32Array(size + 1); // by column, from 1
  for (let i = 1; i <= size; i++) {
    const least = new Float64Array(size + 1).fill(Infinity), used = new Uint8Array(size + 1);
    let column = 0;
    rowOf[0] = i;
    do {
      used[column] = 1;
      const row = rowOf[column];
      let delta = Infinity, next = 0;
      for (let j = 1; j <= size; j++) {
        if (used[j]) continue;
        const reduced = at(row - 1, j - 1) - u[row] - v[j];
        if (reduced < least[j]) [least[j], way[j]] = [reduced, column];
        if (least[j] < delta) [delta, next] = [least[j], j];
      }
      for (let j = 0; j <= size; j++) {
        if (used[j]) [u[rowOf[j]], v[j]] = [u[rowOf[j]] + delta, v[j] - delta];
        else least[j] -= delta;
      }
      column = next;
    } while (rowOf[column] !== 0);
    for (; column !== 0; column = way[column]) rowOf[column] = rowOf[way[column]];
  }
  const partners = new Array(rows).fill(-1);
  for (let j = 1; j <= columns; j++) if (rowOf[j] <= rows) partners[rowOf[j] - 1] = j - 1;
  return partners;
}
