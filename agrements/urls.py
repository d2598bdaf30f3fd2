
app_name = "agrements"

urlpatterns = []
