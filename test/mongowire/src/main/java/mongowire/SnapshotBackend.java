package mongowire;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.QueryParameters;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory backend, with answers that are copies. Its own answers are the documents that it keeps and changes in place,
 * and they are encoded after the lock is gone: a read beside an update then shows half of the update, which no MongoDB does.
 */
final class SnapshotBackend extends MemoryBackend {
    @Override
    public MemoryDatabase openOrCreateDatabase(String name) {
        return new Database(name, getCursorRegistry());
    }

    private static final class Database extends MemoryDatabase {
        Database(String name, CursorRegistry cursors) {
            super(name, cursors);
        }

        @Override
        protected MemoryCollection openOrCreateCollection(String name, CollectionOptions options) {
            return new Collection(this, name, options, cursorRegistry);
        }

        @Override
        protected Index<Integer> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            return IdIndex.serves(keys)
                    ? new IdIndex(name, keys, sparse)
                    : super.openOrCreateUniqueIndex(collection, name, keys, sparse);
        }
    }

    private static final class Collection extends MemoryCollection {
        // Both are guarded by the collection's lock. A change looks up the documents it is about to change through the
        // same methods as a read, and must get the kept ones.
        private boolean changing;
        private boolean reading;

        Collection(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors) {
            super(database, name, options, cursors);
        }

        @Override
        public synchronized QueryResult handleQuery(QueryParameters parameters) {
            reading = !changing;
            try {
                return super.handleQuery(parameters);
            } finally {
                reading = false;
            }
        }

        @Override
        protected QueryResult createQueryResult(List<Document> documents, int batchSize) {
            if (!reading) {
                return super.createQueryResult(documents, batchSize);
            }
            List<Document> copies = new ArrayList<>(documents.size());
            for (Document document : documents) {
                copies.add(document.cloneDeeply());
            }
            return super.createQueryResult(copies, batchSize);
        }

        @Override
        public synchronized Document findAndModify(Document query) {
            changing = true;
            try {
                return super.findAndModify(query).cloneDeeply();
            } finally {
                changing = false;
            }
        }

        @Override
        public synchronized int deleteDocuments(Document selector, int limit, Oplog oplog) {
            changing = true;
            try {
                return super.deleteDocuments(selector, limit, oplog);
            } finally {
                changing = false;
            }
        }

        // The library adds an index without the lock, and an update that goes over the indexes meanwhile fails.
        @Override
        public synchronized void addIndex(Index<Integer> index) {
            super.addIndex(index);
        }

        @Override
        public synchronized int count(Document query, int skip, int limit) {
            return super.count(query, skip, limit);
        }
    }
}
