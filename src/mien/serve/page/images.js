/**
 * Pictures of 8 bits, resized and warped as OpenCV does it, to the last bit.
 *
 * The networks were measured behind cv2.resize and cv2.warpAffine, and a crop that differs by one
 * grey level gives other scores. So the integer arithmetic of OpenCV 4 is repeated here and not the
 * browser's drawing, which differs between browsers. Knows nothing of faces.
 *
 * A picture is {width, height, data}: four bytes a pixel, RGBA, as canvases have it; the fourth is
 * not used.
 */

/** Round to the nearest whole number, halves to the even one, as Python and OpenCV do. */
export function rint(value) {
  const near = Math.round(value);
  return Math.abs(value % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

export function clamp(value, low, high) {
  return value < low ? low : value > high ? high : value;
}

/** A black picture. */
export function blank(width, height) {
  return { width, height, data: new Uint8ClampedArray(4 * width * height) };
}

/** Cut out a rectangle of whole pixels; what lies outside the picture is black. */
export function cut(picture, left, top, right, bottom) {
  const part = blank(right - left, bottom - top);
  const from = Math.max(left, 0), to = Math.min(right, picture.width);
  for (let y = Math.max(top, 0); y < Math.min(bottom, picture.height) && from < to; y++) {
    const row = 4 * y * picture.width;
    const start = 4 * ((y - top) * part.width + from - left);
    part.data.set(picture.data.subarray(row + 4 * from, row + 4 * to), start);
  }
  return part;
}

/** Every so many pixels of a picture, each way. */
export function sparse(picture, step) {
  const small = blank(Math.ceil(picture.width / step), Math.ceil(picture.height / step));
  const from = new Uint32Array(picture.data.buffer, picture.data.byteOffset);
  const to = new Uint32Array(small.data.buffer);
  for (let y = 0, at = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) to[at++] = from[y * step * picture.width + x * step];
  }
  return small;
}

/** cv2.resize with INTER_AREA: averages where it shrinks, and else is linear between cells. */
export function resizeArea(picture, width, height) {
  if (picture.width === width && picture.height === height) return picture;
  const across = picture.width / width, down = picture.height / height;
  if (across < 1 || down < 1) return resizeLinear(picture, width, height, true);
  if (Number.isInteger(across) && Number.isInteger(down)) {
    return averageBlocks(picture, width, height, across, down);
  }
  return averageCells(picture, width, height);
}

function averageBlocks(picture, width, height, across, down) {
  const small = blank(width, height), from = picture.data, to = small.data;
  const area = across * down, halvesUp = across === 2 && down === 2; // as OpenCV's SIMD does
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      let red = 0, green = 0, blue = 0;
      for (let dy = 0; dy < down; dy++) {
        let i = 4 * ((y * down + dy) * picture.width + x * across);
        for (let dx = 0; dx < across; dx++, i += 4) {
          red += from[i];
          green += from[i + 1];
          blue += from[i + 2];
        }
      }
      to[at] = halvesUp ? (red + 2) >> 2 : rint(red / area);
      to[at + 1] = halvesUp ? (green + 2) >> 2 : rint(green / area);
      to[at + 2] = halvesUp ? (blue + 2) >> 2 : rint(blue / area);
    }
  }
  return small;
}

/** The source cells of each cell of a line, and their weights: [target, source, weight]. */
function cells(source, target) {
  const scale = source / target, list = [];
  for (let d = 0; d < target; d++) {
    const first = d * scale, last = first + scale;
    const size = Math.min(scale, source - first);
    const end = Math.min(Math.floor(last), source - 1);
    const start = Math.min(Math.ceil(first), end);
    if (start - first > 1e-3) list.push([d, start - 1, Math.fround((start - first) / size)]);
    for (let s = start; s < end; s++) list.push([d, s, Math.fround(1 / size)]);
    if (last - end > 1e-3) {
      list.push([d, end, Math.fround(Math.min(last - end, 1, size) / size)]);
    }
  }
  return list;
}

function averageCells(picture, width, height) {
  const small = blank(width, height), from = picture.data, to = small.data;
  const columns = cells(picture.width, width);
  const targets = Int32Array.from(columns, (c) => 3 * c[0]);
  const sources = Int32Array.from(columns, (c) => 4 * c[1]);
  const weights = Float32Array.from(columns, (c) => c[2]);
  const line = new Float32Array(3 * width), sum = new Float32Array(3 * width);
  let current = 0, row = -1;
  const finish = () => {
    for (let x = 0, at = 4 * current * width; x < 3 * width; x += 3, at += 4) {
      to[at] = rint(sum[x]);
      to[at + 1] = rint(sum[x + 1]);
      to[at + 2] = rint(sum[x + 2]);
    }
    sum.fill(0);
  };
  for (const [target, source, share] of cells(picture.height, height)) {
    if (target !== current) {
      finish();
      current = target;
    }
    if (source !== row) {
      row = source;
      line.fill(0);
      const start = 4 * source * picture.width;
      for (let k = 0; k < targets.length; k++) {
        const t = targets[k], s = start + sources[k], w = weights[k];
        line[t] += Math.fround(w * from[s]); // rounded after each step, as floats in C++ are
        line[t + 1] += Math.fround(w * from[s + 1]);
        line[t + 2] += Math.fround(w * from[s + 2]);
      }
    }
    for (let x = 0; x < line.length; x++) sum[x] += Math.fround(share * line[x]);
  }
  finish();
  return small;
}

/** For each cell of a line the first of its two neighbours, and the weights of both of 2048. */
function neighbours(source, target, asArea) {
  const scale = source / target, list = [];
  for (let d = 0; d < target; d++) {
    let first, part;
    if (asArea) {
      first = Math.floor(d * scale);
      part = Math.fround(d + 1 - (first + 1) * (target / source));
      part = part <= 0 ? 0 : part - Math.floor(part);
    } else {
      const centre = Math.fround((d + 0.5) * scale - 0.5);
      first = Math.floor(centre);
      part = Math.fround(centre - first);
    }
    if (first < 0) [first, part] = [0, 0];
    if (first >= source - 1) [first, part] = [source - 1, 0];
    const second = Math.min(first + 1, source - 1);
    list.push([first, second, rint(Math.fround(1 - part) * 2048), rint(part * 2048)]);
  }
  return list;
}

/** cv2.resize with INTER_LINEAR, or as INTER_AREA enlarges. */
export function resizeLinear(picture, width, height, asArea = false) {
  if (picture.width === width && picture.height === height) return picture;
  const result = blank(width, height), from = picture.data;
  const columns = neighbours(picture.width, width, asArea);
  let at = 0;
  for (const [upper, lower, above, below] of neighbours(picture.height, height, asArea)) {
    const a = 4 * upper * picture.width, b = 4 * lower * picture.width;
    for (const [left, right, before, after] of columns) {
      for (let c = 0; c < 3; c++) {
        const l = 4 * left + c, r = 4 * right + c;
        const top = (from[a + l] * before + from[a + r] * after) >> 4;
        const bottom = (from[b + l] * before + from[b + r] * after) >> 4;
        result.data[at + c] = (((above * top) >> 16) + ((below * bottom) >> 16) + 2) >> 2;
      }
      at += 4;
    }
  }
  return result;
}

/**
 * cv2.warpAffine with INTER_LINEAR and BORDER_REPLICATE, to a square.
 *
 * @param {number[]} m six numbers: x' = m0 x + m1 y + m2, y' = m3 x + m4 y + m5.
 */
export function warp(picture, m, side) {
  const result = blank(side, side), { width, height, data } = picture, to = result.data;
  const [a, b, c, d, offsetX, offsetY] = inverted(m);
  const across = Int32Array.from({ length: side }, (_, x) => rint(a * x * 1024));
  const down = Int32Array.from({ length: side }, (_, x) => rint(c * x * 1024));
  for (let y = 0, at = 0; y < side; y++) {
    const startX = rint((b * y + offsetX) * 1024) + 16;
    const startY = rint((d * y + offsetY) * 1024) + 16;
    for (let x = 0; x < side; x++, at += 4) {
      const fineX = (startX + across[x]) >> 5, fineY = (startY + down[x]) >> 5; // 1/32 pixel
      const partX = fineX & 31, partY = fineY & 31;
      const left = clamp(fineX >> 5, 0, width - 1), right = clamp((fineX >> 5) + 1, 0, width - 1);
      const upper = width * clamp(fineY >> 5, 0, height - 1);
      const lower = width * clamp((fineY >> 5) + 1, 0, height - 1);
      const p = 4 * (upper + left), q = 4 * (upper + right);
      const r = 4 * (lower + left), s = 4 * (lower + right);
      const wp = (32 - partX) * (32 - partY), wq = partX * (32 - partY);
      const wr = (32 - partX) * partY, ws = partX * partY; // they sum to 1024
      for (let k = 0; k < 3; k++) {
        const sum = wp * data[p + k] + wq * data[q + k] + wr * data[r + k] + ws * data[s + k];
        to[at + k] = (sum + 512) >> 10;
      }
    }
  }
  return result;
}

/** The inverse of an affine transform: its four factors, then its two offsets. */
export function inverted(m) {
  const scale = 1 / (m[0] * m[4] - m[1] * m[3]);
  const a = m[4] * scale, b = -m[1] * scale, c = -m[3] * scale, d = m[0] * scale;
  return [a, b, c, d, -a * m[2] - b * m[5], -c * m[2] - d * m[5]];
}
