import { crc32, deflateRawSync } from "node:zlib";

/** A file of an archive that a test makes, also one that no tool would make. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Mode of Unix; 0 = none. */
  readonly mode?: number;
  readonly isStored?: boolean;
  /** What the heads say the size is. */
  readonly statedSize?: number;
  /** General purpose flags; 1 = encrypted. */
  readonly flags?: number;
}

/** Writes a ZIP archive (APPNOTE 4.3). */
export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { bytes, isStored = false, statedSize = bytes.length, mode = 0, flags = 0 } = entry;
    const data = isStored ? Buffer.from(bytes) : deflateRawSync(bytes);
    const name = Buffer.from(entry.name);
    const facts = Buffer.alloc(22);
    facts.writeUInt16LE(flags, 0);
    facts.writeUInt16LE(isStored ? 0 : 8, 2);
    facts.writeUInt32LE(crc32(bytes), 8);
    facts.writeUInt32LE(data.length, 12);
    facts.writeUInt32LE(statedSize, 16);
    facts.writeUInt16LE(name.length, 20);
    const local = Buffer.concat([Buffer.from("504b03041400", "hex"), facts, Buffer.alloc(2), name]);
    const rest = Buffer.alloc(16);
    rest.writeUInt32LE((mode << 16) >>> 0, 8);
    rest.writeUInt32LE(offset, 12);
    directory.push(
      Buffer.concat([Buffer.from("504b010214031400", "hex"), facts, rest.subarray(0, 16), name]),
    );
    files.push(local, data);
    offset += local.length + data.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, listed, end]);
}
