import type {
  CompiledQuery,
  DatabaseConnection,
  Driver,
  PostgresPool,
  QueryResult,
  TransactionSettings,
} from "kysely";
import { PostgresDialect } from "kysely";
import { describeFault } from "./describe-fault.ts";

/** Kysely's own dialect, whose errors are ours. */
export class MappedPostgresDialect extends PostgresDialect {
  constructor(pool: PostgresPool) {
    super({ pool });
  }

  override createDriver(): Driver {
    return mapDriver(super.createDriver());
  }
}

function mapDriver(driver: Driver): Driver {
  const inner = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const unwrap = (connection: DatabaseConnection) => inner.get(connection) ?? connection;
  return {
    init: () => mapped(driver.init()),
    acquireConnection: async () => {
      const connection = await mapped(driver.acquireConnection());
      const wrapped = mapConnection(connection);
      inner.set(wrapped, connection);
      return wrapped;
    },
    beginTransaction: (connection, settings: TransactionSettings) =>
      mapped(driver.beginTransaction(unwrap(connection), settings)),
    commitTransaction: (connection) => mapped(driver.commitTransaction(unwrap(connection))),
    // What went wrong before is what the caller is told.
    rollbackTransaction: (connection) =>
      driver.rollbackTransaction(unwrap(connection)).catch(() => {}),
    releaseConnection: (connection) => driver.releaseConnection(unwrap(connection)),
    destroy: () => driver.destroy(),
  };
}

function mapConnection(connection: DatabaseConnection): DatabaseConnection {
  return {
    executeQuery: <Row>(query: CompiledQuery): Promise<QueryResult<Row>> =>
      mapped(connection.executeQuery<Row>(query)),
    streamQuery: (query, size) => connection.streamQuery(query, size),
  };
}

async function mapped<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (thrown) {
    throw describeFault(thrown);
  }
}
