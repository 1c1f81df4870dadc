/** Areas in proportion: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000). */

export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * One area for each value, in their order, which fill a rectangle together.
 * @param values positive, largest first
 */
export function treemap(values: readonly number[], width: number, height: number): readonly Area[] {
  const total = values.reduce((sum, value) => sum + value, 0)
  const sizes = values.map((value) => (value / total) * width * height)
  const areas: Area[] = []
  let room: Area = { x: 0, y: 0, width, height }
  let row: number[] = []
  for (const size of sizes) {
    const side = Math.min(room.width, room.height)
    if (row.length > 0 && worst([...row, size], side) > worst(row, side)) {
      room = lay(row, room, areas)
      row = []
    }
    row.push(size)
  }
  if (row.length > 0) lay(row, room, areas)
  return areas
}

/** The least square of a row along a side: how many times longer than wide. */
function worst(row: readonly number[], side: number): number {
  const sum = row.reduce((all, one) => all + one, 0)
  const thickness = sum / side
  return Math.max(...row.map((size) => Math.max(thickness ** 2 / size, size / thickness ** 2)))
}

/** Puts a row along the shorter side of the room. @returns the room that is left */
function lay(row: readonly number[], room: Area, areas: Area[]): Area {
  const sum = row.reduce((all, one) => all + one, 0)
  const isColumn = room.width >= room.height
  const thickness = sum / (isColumn ? room.height : room.width)
  let { x, y } = room
  for (const size of row) {
    const length = size / thickness
    areas.push(
      isColumn
        ? { x, y, width: thickness, height: length }
        : { x, y, width: length, height: thickness },
    )
    if (isColumn) y += length
    else x += length
  }
  return isColumn
    ? { ...room, x: room.x + thickness, width: room.width - thickness }
    : { ...room, y: room.y + thickness, height: room.height - thickness }
}
