package mongowire;

import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.memory.index.MemoryUniqueIndex;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;

/**
 * The index of _id, used for a filter that asks for more besides it too, as every MongoDB does. The library's own is used for
 * _id alone: an update of one version of a document would look at the whole collection. What else the filter asks for is
 * looked at afterwards, in what the index found.
 */
final class IdIndex extends MemoryUniqueIndex {
    private static final String ID = "_id";

    IdIndex(String name, List<IndexKey> keys, boolean sparse) {
        super(name, keys, sparse);
    }

    /** Says whether an index is that of _id. */
    static boolean serves(List<IndexKey> keys) {
        return keys.size() == 1 && keys.get(0).getKey().equals(ID);
    }

    @Override
    public synchronized boolean canHandle(Document query) {
        return query.containsKey(ID) && super.canHandle(new Document(ID, query.get(ID)));
    }
}
