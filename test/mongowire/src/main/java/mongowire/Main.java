package mongowire;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import java.io.IOException;
import java.util.List;

/** Serves an empty MongoDB in memory, on 127.0.0.1 and the port given (0, the default, for any), while stdin is open. */
public final class Main {
    public static void main(String[] arguments) throws IOException {
        int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
        MongoServer server = new MongoServer(new SnapshotBackend().version(new Version6()));
        server.bind("127.0.0.1", port);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow)); // SIGTERM and exit
        System.out.println("mongodb://127.0.0.1:" + server.getLocalAddress().getPort());
        while (System.in.read() >= 0) {
            // What is said does not matter, only when it ends: with the process that holds the other end.
        }
        System.exit(0);
    }

    /** What the server says it is. The releases that it names itself end below what current drivers ask for. */
    private record Version6() implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(6, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 17;
        }
    }
}
