import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.Build;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.action.bulk.BulkItemResponse;
import org.elasticsearch.action.bulk.BulkRequest;
import org.elasticsearch.action.delete.DeleteRequest;
import org.elasticsearch.action.index.IndexRequest;
import org.elasticsearch.action.search.ClearScrollRequest;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchResponse;
import org.elasticsearch.action.search.SearchScrollRequest;
import org.elasticsearch.action.support.IndicesOptions;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestChannel;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.search.SearchHit;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentType;
import org.elasticsearch.xcontent.json.JsonXContent;

/**
 * Stand-ins for two modules of Elasticsearch that no registry has: "rest-root" (GET and HEAD of /) and "reindex" (_delete_by_query,
 * and _update_by_query without a script). Below them is the real engine: a scroll search with sequence numbers, then bulk requests
 * that fail where a document changed in between. Tests only.
 */
public class RestShim extends Plugin implements ActionPlugin {
    private static final TimeValue KEEP = TimeValue.timeValueMinutes(5);

    @Override
    public Collection<RestHandler> getRestHandlers(
            RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new Root(nodes, services), new ByQuery(true, features), new ByQuery(false, features));
    }

    private static final class Root extends BaseRestHandler {
        private final Supplier<DiscoveryNodes> nodes;
        private final RestHandlersServices services;

        Root(Supplier<DiscoveryNodes> nodes, RestHandlersServices services) {
            this.nodes = nodes;
            this.services = services;
        }

        @Override
        public String getName() {
            return "main_action";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> {
                Build build = Build.current();
                XContentBuilder answer = channel.newBuilder().prettyPrint().startObject();
                answer.field("name", nodes.get().getLocalNode().getName());
                answer.field("cluster_name", services.settings().get("cluster.name", "elasticsearch"));
                answer.startObject("version").field("number", build.qualifiedVersion());
                answer.field("build_flavor", "default").field("build_type", "jars").field("build_hash", build.hash());
                answer.field("build_date", build.date()).field("build_snapshot", build.isSnapshot());
                answer.field("lucene_version", org.apache.lucene.util.Version.LATEST.toString());
                answer.field("minimum_wire_compatibility_version", build.minWireCompatVersion());
                answer.field("minimum_index_compatibility_version", build.minIndexCompatVersion()).endObject();
                answer.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, answer));
            };
        }
    }

    private static final class ByQuery extends BaseRestHandler {
        private final boolean isDelete;
        private final Predicate<NodeFeature> features;

        ByQuery(boolean isDelete, Predicate<NodeFeature> features) {
            this.isDelete = isDelete;
            this.features = features;
        }

        @Override
        public String getName() {
            return isDelete ? "delete_by_query_action" : "update_by_query_action";
        }

        @Override
        public List<Route> routes() {
            String action = isDelete ? "/{index}/_delete_by_query" : "/{index}/_update_by_query";
            return List.of(new Route(RestRequest.Method.POST, action));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
            Map<String, Object> body = new HashMap<>();
            if (request.hasContentOrSourceParam()) {
                try (var parser = request.contentOrSourceParamParser()) {
                    body.putAll(parser.map());
                }
            }
            if (body.containsKey("script")) {
                throw new IllegalArgumentException("script_lang not supported [painless]");
            }
            Run run = new Run();
            run.client = client;
            run.isDelete = isDelete;
            run.refresh = request.paramAsBoolean("refresh", false);
            run.proceed = "proceed".equals(request.param("conflicts", String.valueOf(body.remove("conflicts"))));
            Object most = body.remove("max_docs");
            run.most = request.paramAsInt("max_docs", most == null ? Integer.MAX_VALUE : ((Number) most).intValue());
            int size = request.paramAsInt("scroll_size", 1000);
            for (String ignored : List.of("slices", "timeout", "requests_per_second", "wait_for_active_shards")) {
                request.param(ignored);
            }
            request.paramAsBoolean("wait_for_completion", true);
            SearchSourceBuilder source = new SearchSourceBuilder();
            BytesReference json = BytesReference.bytes(JsonXContent.contentBuilder().map(body));
            try (var parser = XContentHelper.createParser(request.contentParserConfig(), json, XContentType.JSON)) {
                source.parseXContent(parser, true, features);
            }
            if (isDelete && source.query() == null) {
                throw new IllegalArgumentException("query is missing");
            }
            source.size(size).seqNoAndPrimaryTerm(true).sort("_doc").fetchSource(isDelete == false);
            run.search = new SearchRequest(Strings.splitStringByCommaToArray(request.param("index")), source).scroll(KEEP)
                    .indicesOptions(IndicesOptions.fromRequest(request, SearchRequest.DEFAULT_INDICES_OPTIONS));
            return channel -> client.threadPool().generic().execute(() -> run.answer(channel));
        }
    }

    /** One request on its way through the hits, batch by batch. */
    private static final class Run {
        NodeClient client;
        SearchRequest search;
        boolean isDelete, refresh, proceed;
        int most;
        private final long start = System.currentTimeMillis();
        private final Set<String> touched = new TreeSet<>();
        private final List<Map<String, Object>> failures = new ArrayList<>();
        private long total, done, conflicts;
        private int batches;

        void answer(RestChannel channel) {
            try {
                work();
                channel.sendResponse(new RestResponse(failures.isEmpty() ? RestStatus.OK : RestStatus.CONFLICT, report(channel)));
            } catch (Exception error) {
                try {
                    channel.sendResponse(new RestResponse(channel, error));
                } catch (IOException second) {
                    throw new ElasticsearchException(second);
                }
            }
        }

        private void work() {
            SearchResponse response = client.search(search).actionGet();
            String scroll = response.getScrollId();
            total = response.getHits().getTotalHits().value();
            try {
                while (response.getHits().getHits().length > 0 && done < most && failures.isEmpty()) {
                    apply(response.getHits().getHits());
                    response.decRef();
                    response = client.searchScroll(new SearchScrollRequest(scroll).scroll(KEEP)).actionGet();
                    scroll = response.getScrollId();
                }
            } finally {
                response.decRef();
                ClearScrollRequest clear = new ClearScrollRequest();
                clear.addScrollId(scroll);
                client.clearScroll(clear).actionGet();
            }
            if (refresh && touched.isEmpty() == false) {
                client.admin().indices().prepareRefresh(touched.toArray(String[]::new)).get();
            }
        }

        private void apply(SearchHit[] hits) {
            BulkRequest bulk = new BulkRequest();
            batches++;
            for (SearchHit hit : hits) {
                if (done + bulk.numberOfActions() >= most) {
                    break;
                }
                touched.add(hit.getIndex());
                if (isDelete) {
                    bulk.add(new DeleteRequest(hit.getIndex(), hit.getId())
                            .setIfSeqNo(hit.getSeqNo()).setIfPrimaryTerm(hit.getPrimaryTerm()));
                } else {
                    bulk.add(new IndexRequest(hit.getIndex()).id(hit.getId()).source(hit.getSourceAsMap())
                            .setIfSeqNo(hit.getSeqNo()).setIfPrimaryTerm(hit.getPrimaryTerm()));
                }
            }
            for (BulkItemResponse item : client.bulk(bulk).actionGet()) {
                count(item);
            }
        }

        private void count(BulkItemResponse item) {
            boolean isConflict = item.isFailed() && item.getFailure().getStatus() == RestStatus.CONFLICT;
            if (item.isFailed() == false) {
                done++;
            } else if (isConflict) {
                conflicts++;
            }
            if (item.isFailed() && (isConflict && proceed) == false) {
                Map<String, Object> cause = Map.of("type", "exception", "reason", String.valueOf(item.getFailureMessage()));
                failures.add(Map.of("index", item.getIndex(), "id", item.getId(),
                        "status", item.getFailure().getStatus().getStatus(), "cause", cause));
            }
        }

        private XContentBuilder report(RestChannel channel) throws IOException {
            XContentBuilder answer = channel.newBuilder().startObject();
            answer.field("took", System.currentTimeMillis() - start).field("timed_out", false).field("total", total);
            answer.field("updated", isDelete ? 0 : done).field("deleted", isDelete ? done : 0).field("batches", batches);
            answer.field("version_conflicts", conflicts).field("noops", 0);
            answer.startObject("retries").field("bulk", 0).field("search", 0).endObject();
            answer.field("throttled_millis", 0).field("requests_per_second", -1.0).field("throttled_until_millis", 0);
            return answer.field("failures", failures).endObject();
        }
    }
}
