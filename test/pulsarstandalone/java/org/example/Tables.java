package org.example;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.apache.bookkeeper.common.concurrent.FutureUtils.result;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.apache.bookkeeper.api.StorageClient;
import org.apache.bookkeeper.api.kv.Table;
import org.apache.bookkeeper.clients.StorageClientBuilder;
import org.apache.bookkeeper.clients.config.StorageClientSettings;
import org.apache.bookkeeper.common.router.BytesHashRouter;

/**
 * Reads a table of a table service as a client does that finds out by itself which range
 * has a key, and writes one value back for each: URL, namespace, table, and the keys. Of
 * each key it prints the hash, and its value.
 */
public final class Tables {
    private Tables() {
    }

    public static void main(String[] arguments) throws Exception {
        StorageClientSettings settings = StorageClientSettings.newBuilder()
                .serviceUri(arguments[0]).enableServerSideRouting(false).build();
        try (StorageClient client = StorageClientBuilder.newBuilder()
                .withSettings(settings).withNamespace(arguments[1]).build()) {
            Table<ByteBuf, ByteBuf> table = result(client.openTable(arguments[2]));
            for (int i = 3; i < arguments.length; i++) {
                byte[] key = arguments[i].getBytes(UTF_8);
                ByteBuf value = result(table.get(Unpooled.wrappedBuffer(key)));
                System.out.println("TABLE " + BytesHashRouter.of().getRoutingKey(key) + " " + value.toString(UTF_8));
                result(table.put(Unpooled.wrappedBuffer(("back-" + arguments[i]).getBytes(UTF_8)), Unpooled.wrappedBuffer(key)));
            }
        }
        System.exit(0);
    }
}
